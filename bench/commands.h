/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of the program; argv[0] is the command's name. */
#ifndef TDMEM_BENCH_COMMANDS_H
#define TDMEM_BENCH_COMMANDS_H

#include <stdbool.h>

int cmd_run(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_env(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_trend(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_timeline(int argc, char **argv);
int cmd_module(int argc, char **argv);

/** May stdout be coloured?  A terminal, and NO_COLOR is not set. */
bool stdout_colour(void);

#endif
