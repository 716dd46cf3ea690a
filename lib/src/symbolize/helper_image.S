/* The bytes of the helper program; GMR_HELPER_PROGRAM is its file, which only the build knows. */
#ifdef GMR_HELPER_PROGRAM
        .section .rodata
        .balign 16
        .globl gmr_symbols_image
        .hidden gmr_symbols_image
gmr_symbols_image:
        .incbin GMR_HELPER_PROGRAM
        .globl gmr_symbols_image_end
        .hidden gmr_symbols_image_end
gmr_symbols_image_end:
        .byte 0
        .section .note.GNU-stack, "", %progbits
#endif
