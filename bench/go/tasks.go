// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// together runs n goroutines and returns how long they took in all.
func together(n int, body func(i int)) time.Duration {
	var wg sync.WaitGroup
	start := time.Now()
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) {
			body(i)
			wg.Done()
		}(i)
	}
	wg.Wait()
	return time.Since(start)
}

func yieldMany(a *args, tasks int) {
	perOp(a, tasks, func(rounds int) time.Duration {
		return together(tasks, func(int) {
			for i := 0; i < rounds; i++ {
				runtime.Gosched()
			}
		})
	})
}

func yield2(a *args)  { yieldMany(a, 2) }
func yield1k(a *args) { yieldMany(a, 1000) }

func spawn(a *args) {
	const batch = 1000
	perOp(a, batch, func(rounds int) time.Duration {
		var wg sync.WaitGroup
		var ran int64
		start := time.Now()
		for r := 0; r < rounds; r++ {
			wg.Add(batch)
			for i := 0; i < batch; i++ {
				go func() {
					atomic.AddInt64(&ran, 1)
					wg.Done()
				}()
			}
			wg.Wait()
		}
		elapsed := time.Since(start)
		if ran != int64(rounds)*batch {
			fail("spawn: %d ran", ran)
		}
		return elapsed
	})
}

func mutex8(a *args) {
	const tasks = 8
	perOp(a, tasks, func(rounds int) time.Duration {
		var mu sync.Mutex
		count := 0
		elapsed := together(tasks, func(int) {
			for i := 0; i < rounds; i++ {
				mu.Lock()
				count++
				mu.Unlock()
			}
		})
		if count != rounds*tasks {
			fail("mutex8: counted %d", count)
		}
		return elapsed
	})
}

// fib spawns both halves of every call and joins them.
func fib(n int, out *int) {
	if n < 2 {
		*out = n
		return
	}
	var wg sync.WaitGroup
	var a, b int
	wg.Add(2)
	go func() {
		fib(n-1, &a)
		wg.Done()
	}()
	go func() {
		fib(n-2, &b)
		wg.Done()
	}()
	wg.Wait()
	*out = a + b
}

func fibSpawn(a *args) {
	var got int
	fib(15, &got)
	n, want := 27, 196418
	if a.quick {
		n, want = 23, 28657
	}
	start := time.Now()
	fib(n, &got)
	elapsed := time.Since(start)
	if got != want {
		fail("fib: got %d", got)
	}
	result("time", float64(elapsed)/1e6, "ms")
}

// sleepFor is the i-th sleep, 1 to 100 ms: splitmix64's mixer.
func sleepFor(i int) time.Duration {
	x := (uint64(i) + 1) * 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	x ^= x >> 31
	return time.Duration(1000000 + x%99000001)
}

func sleepers(late []time.Duration) {
	together(len(late), func(i int) {
		d := sleepFor(i)
		start := time.Now()
		time.Sleep(d)
		late[i] = time.Since(start) - d
	})
}

func timers(a *args) {
	late := make([]time.Duration, a.size(100000, 20000))
	sleepers(late[:100])
	cpu := cpuTime()
	start := time.Now()
	sleepers(late)
	elapsed := time.Since(start)
	cpu = cpuTime() - cpu
	result("total", float64(elapsed)/1e6, "ms")
	lateness(late)
	result("cpu", float64(cpu)/1e6, "ms")
}

// parkMany spawns n goroutines and waits until all are parked on a channel;
// release lets them go and waits for them.
func parkMany(n int) (release func()) {
	var wg sync.WaitGroup
	var parked int64
	gate := make(chan struct{})
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			atomic.AddInt64(&parked, 1)
			<-gate
			wg.Done()
		}()
	}
	for atomic.LoadInt64(&parked) < int64(n) {
		runtime.Gosched()
	}
	return func() {
		close(gate)
		wg.Wait()
	}
}

func live(a *args) {
	n := a.size(100000, 20000)
	parkMany(100)()
	before := residentBytes()
	start := time.Now()
	release := parkMany(n)
	elapsed := time.Since(start)
	after := residentBytes()
	release()
	result("bytes", float64(after-before)/float64(n), "B")
	result("time", float64(elapsed)/float64(n), "ns")
}
