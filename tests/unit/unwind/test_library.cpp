// Loaded and unloaded by tests.
extern "C" __attribute__((visibility("default"), noinline)) int gmr_test_call(void (*back)(void*),
                                                                              void* context) {
  back(context);
  asm volatile("" ::: "memory");  // not a tail call
  return 0;
}
