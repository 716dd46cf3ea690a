// A program with many parked goroutines for green_thread_peers.py, the counterpart of
// green_threads_target: goroutines COUNT. What its reports are is the last line of its input:
// grouped: pprof's goroutine profile with debug=1; listed: with debug=2; stack: runtime.Stack of all.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

const depth = 8

//go:noinline
func park(until chan struct{}, levels int, parked *int64) {
	if levels > 1 {
		park(until, levels-1, parked)
	} else {
		atomic.AddInt64(parked, 1)
		<-until
	}
	runtime.KeepAlive(until)
}

func tick(longest *int64) {
	for last := time.Now(); ; {
		time.Sleep(time.Millisecond)
		now := time.Now()
		gap := now.Sub(last).Microseconds()
		for {
			seen := atomic.LoadInt64(longest)
			if gap <= seen || atomic.CompareAndSwapInt64(longest, seen, gap) {
				break
			}
		}
		last = now
	}
}

// Of all goroutines, at once: the buffer is large enough.
func stacks(count int) []byte {
	buffer := make([]byte, 1<<20+1024*count)
	return buffer[:runtime.Stack(buffer, true)]
}

func report(how string, count int) {
	switch how {
	case "grouped":
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
	case "listed":
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	case "stack":
		os.Stderr.Write(stacks(count))
	}
	os.Stderr.WriteString("end of report\n")
}

func main() {
	if len(os.Args) != 2 {
		os.Exit(64)
	}
	count, _ := strconv.Atoi(os.Args[1])
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	var parked, longest int64
	var how atomic.Value
	until := make(chan struct{})
	for i := 0; i < count; i++ {
		go park(until, depth, &parked)
	}
	for atomic.LoadInt64(&parked) < int64(count) {
		time.Sleep(time.Millisecond)
	}
	go func() {
		for range asked {
			report(how.Load().(string), count)
		}
	}()
	go tick(&longest)
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		how.Store(lines.Text())
		fmt.Println(atomic.SwapInt64(&longest, 0))
	}
}
