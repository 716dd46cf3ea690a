// A small module, with symbols, stubs and a build id, for elf_fuzz to begin with.
int putchar(int);
int gmr_seed(int value) { return putchar(value) + 1; }
