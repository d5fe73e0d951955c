#pragma once
#include <sys/types.h>

// Calls of the C library that its headers show only to programs written for Linux alone.
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned int flags);
int syncfs(int descriptor);
int sync_file_range(int descriptor, int64_t offset, int64_t count, unsigned int flags);

// Flags of theirs, from the kernel's interface.
enum { LINUX_RENAME_EXCHANGE = 2, LINUX_SYNC_FILE_RANGE_WRITE = 2 };
