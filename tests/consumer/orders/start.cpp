// The least that makes a program of small/coroutine.cpp.
void start_coroutine();

int main() {
  start_coroutine();
}
