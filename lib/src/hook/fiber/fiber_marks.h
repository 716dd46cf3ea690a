/* At the end of every assembly file, also of one that is empty on this machine: what the linker needs to
 * know of an object. One that lacks a mark takes it from the whole program: the stack would become
 * executable, and branches unprotected where the compiler was told to protect them (arm64; the code has
 * the landing pads). */
#if defined(__ARM_FEATURE_BTI_DEFAULT)
  .section .note.gnu.property, "a", %note
  .balign 8
  .word 4          /* bytes of the name */
  .word 16         /* of what follows it */
  .word 5          /* NT_GNU_PROPERTY_TYPE_0 */
  .asciz "GNU"
  .word 0xc0000000 /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
  .word 4          /* bytes of the value */
  .word 1          /* GNU_PROPERTY_AARCH64_FEATURE_1_BTI */
  .word 0          /* up to a multiple of 8 */
#endif

  .section .note.GNU-stack, "", %progbits
