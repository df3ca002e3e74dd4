// SPDX-License-Identifier: Apache-2.0

package main

// #cgo CFLAGS: -O2 -I${SRCDIR}/../..
// #cgo LDFLAGS: -lpthread
// #include <stdlib.h>
// #include "bench/common/stall.h"
import "C"

import (
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// What follows is bench/common/stalls.c, and its sizes bench/common/bench.h.

const callMs = 100

// blockCall: Go tells its scheduler of every call by cgo.
func blockCall(*args) {
	r, w, err := os.Pipe()
	if err != nil {
		fail("%v", err)
	}
	fd := C.int(r.Fd())
	poll := func(int) { C.stall_poll_ms(fd, callMs) }
	together(2, poll)
	elapsed := together(100, func(int) { C.stall_sleep_ms(callMs) })
	result("raw", float64(elapsed)/1e6, "ms")
	elapsed = together(100, poll)
	result("poll", float64(elapsed)/1e6, "ms")
	r.Close()
	w.Close()
}

func times(prefix string, t []time.Duration, unit string, ns float64, max bool) {
	sort.Slice(t, func(i, j int) bool { return t[i] < t[j] })
	result(prefix+"p50", float64(t[len(t)/2])/ns, unit)
	result(prefix+"p99", float64(t[len(t)*99/100])/ns, unit)
	if max {
		result(prefix+"max", float64(t[len(t)-1])/ns, unit)
	}
}

// fight makes one stall after another. The second goroutine is made ready
// before, and cannot run then with one P; it looks at the clock when it does.
// It returns fewer times than rounds when the stall had to be rescued.
func fight(s *C.struct_stall, enter func(), rounds int, pause time.Duration) []time.Duration {
	var ran time.Time
	var late []time.Duration
	start, done := make(chan bool, 1), make(chan bool, 1)
	go func() {
		for range start {
			ran = time.Now()
			C.stall_end(s)
			done <- true
		}
	}()
	defer close(start)
	for r := 0; r < rounds; r++ {
		if pause > 0 {
			time.Sleep(pause)
		}
		C.stall_prepare(s)
		start <- true
		begin := time.Now()
		enter()
		<-done
		if C.stall_rescued(s) {
			break
		}
		late = append(late, ran.Sub(begin))
	}
	return late
}

// notice takes the name of the metric and a way to enter; nil: by cgo.
func notice(a *args, kind uint32, name string, enter func(s *C.struct_stall)) {
	s, err := C.stall_new(kind)
	if s == nil {
		note("%s: %v", name, err)
		return
	}
	defer C.stall_free(s)
	call := func() { C.stall_enter(s) }
	if enter != nil {
		call = func() { enter(s) }
	}
	hot, cold := a.size(400, 60), a.size(80, 15)
	if len(fight(s, call, 3, 0)) == 3 {
		if late := fight(s, call, hot, 0); len(late) == hot {
			times(name+"_", late, "us", 1e3, false)
			late = fight(s, call, cold, 20*time.Millisecond)
			if len(late) == cold {
				times(name+"_cold_", late, "us", 1e3, false)
			}
		}
	}
	if C.stall_rescued(s) {
		note("%s: never: no other goroutine ran for %d ms", name,
			C.STALL_PATIENCE_MS)
	}
}

// rawRead is a system call that Go's scheduler is not told about.
func rawRead(s *C.struct_stall) {
	var b [1]byte
	syscall.RawSyscall(syscall.SYS_READ, uintptr(C.stall_fd(s)),
		uintptr(unsafe.Pointer(&b[0])), 1)
}

func blockNotice(a *args) {
	for kind := uint32(C.STALL_READ); kind <= C.STALL_FAULT; kind++ {
		notice(a, kind, C.GoString(C.stall_name(kind)), nil)
	}
	notice(a, C.STALL_READ, "RawSyscall", rawRead)
}

// preempt has its own loop: a C function would be a call by cgo.
func preempt(a *args) {
	var stop int32
	var ran time.Time
	start, done := make(chan bool, 1), make(chan bool, 1)
	go func() {
		for range start {
			ran = time.Now()
			atomic.StoreInt32(&stop, 1)
			done <- true
		}
	}()
	late := make([]time.Duration, a.size(100, 25))
	for r := -1; r < len(late); r++ {
		atomic.StoreInt32(&stop, 0)
		start <- true
		begin := time.Now()
		for atomic.LoadInt32(&stop) == 0 {
		}
		<-done
		if r >= 0 {
			late[r] = ran.Sub(begin)
		}
	}
	times("", late, "ms", 1e6, true)
}

// speed is the rounds done in the CPU time that was there for them.
type speed struct{ rounds, offered int64 }

func (s *speed) rate() float64 { return float64(s.rounds) / float64(s.offered) }

var sink uint64 // what is computed is used

// compute has 4 goroutines compute for d.
func (s *speed) compute(d time.Duration) {
	offered := C.stall_offered_ns()
	end := time.Now().Add(d)
	together(4, func(int) {
		var n int64
		x := uint64(1)
		for time.Now().Before(end) {
			for i := 0; i < 5000; i++ {
				x = x*6364136223846793005 + 1442695040888963407
			}
			n++
		}
		atomic.AddInt64(&s.rounds, n)
		atomic.StoreUint64(&sink, x)
	})
	s.offered += int64(C.stall_offered_ns() - offered)
}

// computeBeside is compute beside a crowd of blocked goroutines.
func (s *speed) computeBeside(d time.Duration) {
	const crowd = 1000
	c, err := C.crowd_new(crowd)
	if c == nil {
		note("pipes: %v", err)
		os.Exit(impossible)
	}
	var wg sync.WaitGroup
	wg.Add(crowd)
	for i := 0; i < crowd; i++ {
		go func(i int) {
			C.crowd_join(c, C.size_t(i))
			wg.Done()
		}(i)
	}
	for C.crowd_joined(c) < crowd {
		runtime.Gosched()
	}
	new(speed).compute(d / 4)
	s.compute(d)
	C.crowd_send_home(c)
	wg.Wait()
	C.crowd_free(c)
}

func blockPipe(a *args) {
	const turn = 100 * time.Millisecond
	var alone, beside speed
	new(speed).compute(turn)
	for i := 0; i < a.size(12, 6); i++ {
		alone.compute(turn)
		beside.computeBeside(turn)
	}
	result("loss", 100*(1-beside.rate()/alone.rate()), "%")
}

// batch is the time that the writes to the pipe take; it is drained after.
func batch(fds []int, write func(fd int)) time.Duration {
	var drain [writes]byte
	begin := time.Now()
	for k := 0; k < writes; k++ {
		write(fds[1])
	}
	elapsed := time.Since(begin)
	if got, err := syscall.Read(fds[0], drain[:]); got != writes {
		fail("announced: bytes are missing: %v", err)
	}
	return elapsed
}

const writes = 1000

// announced: Syscall tells the scheduler, RawSyscall does not.
func announced(a *args) {
	var b [1]byte
	fds := make([]int, 2)
	if err := syscall.Pipe(fds); err != nil {
		fail("%v", err)
	}
	bare, told := time.Hour, time.Hour
	for i := 0; i < a.size(300, 100); i++ {
		d := batch(fds, func(fd int) {
			syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd),
				uintptr(unsafe.Pointer(&b[0])), 1)
		})
		if d < bare {
			bare = d
		}
		d = batch(fds, func(fd int) {
			syscall.Syscall(syscall.SYS_WRITE, uintptr(fd),
				uintptr(unsafe.Pointer(&b[0])), 1)
		})
		if d < told {
			told = d
		}
	}
	result("bare", float64(bare)/writes, "ns")
	result("extra", float64(told-bare)/writes, "ns")
}

func switches() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		fail("%v", err)
	}
	return u.Nvcsw
}

// idle: half of the goroutines wait for a channel, half read empty pipes.
func idle(a *args) {
	const tasks = 10000
	var begun int64
	never := make(chan bool)
	var keep []*os.File
	for i := 0; i < tasks; i++ {
		if i%2 == 0 {
			go func() {
				atomic.AddInt64(&begun, 1)
				<-never
			}()
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			note("%d pipes instead of %d: %s", len(keep), tasks/2,
				strings.TrimSpace(err.Error()))
			os.Exit(impossible)
		}
		keep = append(keep, w)
		go func() {
			var b [1]byte
			atomic.AddInt64(&begun, 1)
			r.Read(b[:])
			fail("idle: a read returned")
		}()
	}
	for atomic.LoadInt64(&begun) < tasks {
		runtime.Gosched()
	}
	time.Sleep(time.Second)
	cpu, woken, begin := cpuTime(), switches(), time.Now()
	time.Sleep(time.Duration(a.size(10, 3)) * time.Second)
	elapsed := time.Since(begin)
	cpu, woken = cpuTime()-cpu, switches()-woken
	result("cpu", 100*float64(cpu)/float64(elapsed), "%")
	result("wakeups", float64(woken)/elapsed.Seconds(), "Hz")
	runtime.KeepAlive(keep)
}
