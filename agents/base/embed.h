/*
 * Files of the tree as constants in a program, so that the SQL that documents a format is the very
 * SQL that runs. The path counts from the top of the tree. Use once in a .c file:
 *
 *     EMBED(store_schema, "schemas/store/1.sql");   ->   extern const char store_schema[];
 */
#ifndef AGENTS_BASE_EMBED_H
#define AGENTS_BASE_EMBED_H

#define EMBED(name, path)                                           \
    extern const char name[] __attribute__((visibility("hidden"))); \
    __asm__(".pushsection .rodata\n"                                \
            ".hidden " #name "\n"                                   \
            ".global " #name "\n" #name ":\n"                       \
            ".incbin \"" path "\"\n"                                \
            ".byte 0\n"                                             \
            ".popsection\n")

#endif
