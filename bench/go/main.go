// SPDX-License-Identifier: Apache-2.0

// The Go side of bench/run: command line, clocks, results.
//
// The contract and the sizes are those of bench/common/bench.h; a change
// there is a change here.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const impossible = 64 // exit code: this peer cannot do that

type args struct {
	name  string
	procs int
	quick bool
}

var benches = map[string]func(*args){
	"yield":        yield2,
	"yield1k":      yield1k,
	"spawn":        spawn,
	"chan_pp":      chanPingPong,
	"chan_buf":     chanBuffered,
	"chan_mpmc":    chanMPMC,
	"select4":      select4,
	"mutex8":       mutex8,
	"fib":          fibSpawn,
	"skynet":       skynet,
	"sieve":        sieve,
	"timers":       timers,
	"live":         live,
	"block_call":   blockCall,
	"block_notice": blockNotice,
	"preempt":      preempt,
	"block_pipe":   blockPipe,
	"announced":    announced,
	"idle":         idle,
	"echo":         echo,
	"http":         serveHTTP,
}

func fail(format string, a ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", a...)
	os.Exit(1)
}

func result(metric string, value float64, unit string) {
	fmt.Printf("%s %.6g %s\n", metric, value, unit)
}

// note is shown by bench/run: why there is no such result.
func note(format string, a ...interface{}) {
	fmt.Printf("note "+format+"\n", a...)
}

// perOp grows the rounds until one call of body takes long enough; the calls
// before are the warm-up, the last one counts.
func perOp(a *args, opsPerRound int, body func(rounds int) time.Duration) {
	const growth = 16
	target := 400e6
	if a.quick {
		target = 80e6
	}
	rounds := 1
	for {
		ns := float64(body(rounds))
		if ns >= 0.8*target {
			result("time", ns/float64(rounds)/float64(opsPerRound), "ns")
			return
		}
		factor := float64(growth)
		if ns > 0 && 1.1*target/ns < growth {
			factor = 1.1 * target / ns
		}
		rounds = int(float64(rounds)*factor) + 1
	}
}

func (a *args) size(full, quick int) int {
	if a.quick {
		return quick
	}
	return full
}

// residentBytes is what of this process is resident now.
func residentBytes() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		fail("%v", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		fail("%v", err)
	}
	return pages * os.Getpagesize()
}

// cpuTime is the CPU time that all threads of this process have used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		fail("%v", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func lateness(late []time.Duration) {
	sort.Slice(late, func(i, j int) bool { return late[i] < late[j] })
	if late[0] < 0 {
		fail("a sleep ended %v early", -late[0])
	}
	result("late_p50", float64(late[len(late)/2])/1e3, "us")
	result("late_p99", float64(late[len(late)*99/100])/1e3, "us")
}

func parse() *args {
	a := &args{procs: 1}
	for i := 1; i < len(os.Args); i++ {
		switch {
		case os.Args[i] == "--quick":
			a.quick = true
		case os.Args[i] == "--bench" && i+1 < len(os.Args):
			i++
			a.name = os.Args[i]
		case os.Args[i] == "--procs" && i+1 < len(os.Args):
			i++
			a.procs, _ = strconv.Atoi(os.Args[i])
		default:
			a.procs = 0
		}
	}
	if a.name == "" || a.procs < 1 {
		fmt.Fprintln(os.Stderr, "usage: --bench NAME --procs P [--quick]")
		os.Exit(2)
	}
	return a
}

func main() {
	a := parse()
	run, ok := benches[a.name]
	if !ok {
		fmt.Fprintln(os.Stderr, "it has no such bench")
		os.Exit(impossible)
	}
	runtime.GOMAXPROCS(a.procs)
	run(a)
}
