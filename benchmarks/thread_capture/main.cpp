// What capturing threads costs: them, and the reporter. Beside each figure the same with unwinding
// in the signal handler.
//   thread_capture --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
