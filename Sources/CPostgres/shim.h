#pragma once
#include <libpq-fe.h>
#include <spawn.h>

// glibc declares these only under _GNU_SOURCE, which Swift's importer does not define.
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
