/*
 * Blocks of computed SQL whose effect is known, word for word: who wrote one does not matter.
 */
#ifndef CONTROLLER_JUDGE_KNOWN_BLOCK_H
#define CONTROLLER_JUDGE_KNOWN_BLOCK_H

/* What a block with this text between its quotes does; null: it is none of them. Only the values
 * of plain literals may differ from the form that is known. */
const char *known_block(const char *text);

#endif
