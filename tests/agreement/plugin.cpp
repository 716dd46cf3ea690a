// Loaded with dlopen.
namespace {

struct guard {
  explicit guard(int& number) : counted(number) { ++counted; }
  ~guard() { --counted; }
  int& counted;
};

}  // namespace

extern "C" void park_in_plugin(void (*park)()) {
  static int inside = 0;
  const guard counted{inside};
  park();
}
