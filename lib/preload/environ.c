/* Boost.ProgramOptions' archive is not position independent where it reads `environ`: it must find
 * one in this very library. Set before anything reads it. */
__attribute__((visibility("hidden"))) char** environ;
