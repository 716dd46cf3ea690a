// Loaded, called and unloaded again and again. Built twice, with frames of different sizes: rules
// kept from one would lead through the other's stacks to wrong frames.
extern "C" [[gnu::visibility("default")]] int gmr_hazard_call(int (*inner)(int), int value) {
  volatile char room[GMR_HAZARD_FRAME];
  room[0] = static_cast<char>(value);
  room[GMR_HAZARD_FRAME - 1] = 1;
  const int result = inner(value + room[0]);
  return result + room[GMR_HAZARD_FRAME - 1];
}
