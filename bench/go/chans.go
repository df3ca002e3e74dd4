// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync/atomic"
	"time"
)

func chanPingPong(a *args) {
	perOp(a, 1, func(rounds int) time.Duration {
		ping, pong := make(chan int64), make(chan int64)
		return together(2, func(i int) {
			if i == 0 {
				for r := int64(0); r < int64(rounds); r++ {
					ping <- r
					if <-pong != r {
						fail("chan_pp: wrong value")
					}
				}
			} else {
				for r := 0; r < rounds; r++ {
					pong <- <-ping
				}
			}
		})
	})
}

// pass has pairs senders and as many receivers on one buffered channel.
func pass(pairs, rounds int) time.Duration {
	c := make(chan int64, 128)
	var sum int64
	elapsed := together(2*pairs, func(i int) {
		if i < pairs {
			for r := int64(1); r <= int64(rounds); r++ {
				c <- r
			}
		} else {
			var own int64
			for r := 0; r < rounds; r++ {
				own += <-c
			}
			atomic.AddInt64(&sum, own)
		}
	})
	n := int64(rounds)
	if sum != int64(pairs)*(n*(n+1)/2) {
		fail("channel: the sum is %d", sum)
	}
	return elapsed
}

func chanBuffered(a *args) {
	perOp(a, 1, func(rounds int) time.Duration { return pass(1, rounds) })
}

func chanMPMC(a *args) {
	perOp(a, 8, func(rounds int) time.Duration { return pass(8, rounds) })
}

func select4(a *args) {
	perOp(a, 4, func(rounds int) time.Duration {
		var c [4]chan int64
		for i := range c {
			c[i] = make(chan int64)
		}
		var sum int64
		elapsed := together(5, func(i int) {
			if i < 4 {
				for r := int64(1); r <= int64(rounds); r++ {
					c[i] <- r
				}
				return
			}
			for r := 0; r < 4*rounds; r++ {
				select {
				case v := <-c[0]:
					sum += v
				case v := <-c[1]:
					sum += v
				case v := <-c[2]:
					sum += v
				case v := <-c[3]:
					sum += v
				}
			}
		})
		n := int64(rounds)
		if sum != 4*(n*(n+1)/2) {
			fail("select4: the sum is %d", sum)
		}
		return elapsed
	})
}

func skynetNode(out chan int64, first, size int64) {
	if size == 1 {
		out <- first
		return
	}
	in := make(chan int64)
	part := size / 10
	for i := int64(0); i < 10; i++ {
		go skynetNode(in, first+i*part, part)
	}
	var sum int64
	for i := 0; i < 10; i++ {
		sum += <-in
	}
	out <- sum
}

func skynetRun(leaves int64) time.Duration {
	out := make(chan int64)
	start := time.Now()
	go skynetNode(out, 0, leaves)
	sum := <-out
	elapsed := time.Since(start)
	if sum != leaves*(leaves-1)/2 {
		fail("skynet: the sum is %d", sum)
	}
	return elapsed
}

func skynet(a *args) {
	skynetRun(1000)
	elapsed := skynetRun(int64(a.size(1000000, 100000)))
	result("time", float64(elapsed)/1e6, "ms")
}

func sieveFilter(in <-chan int64, out chan<- int64, prime int64) {
	for v := range in {
		if v%prime != 0 {
			out <- v
		}
	}
	close(out)
}

// sieveRun times the first n primes; then it drains the chain, so that no
// goroutine stays behind.
func sieveRun(n int) (last int64, elapsed time.Duration) {
	var stop int32
	c := make(chan int64)
	start := time.Now()
	go func(c chan<- int64) {
		for v := int64(2); atomic.LoadInt32(&stop) == 0; v++ {
			c <- v
		}
		close(c)
	}(c)
	for i := 0; i < n; i++ {
		last = <-c
		next := make(chan int64)
		go sieveFilter(c, next, last)
		c = next
	}
	elapsed = time.Since(start)
	atomic.StoreInt32(&stop, 1)
	for range c {
	}
	return last, elapsed
}

func sieve(a *args) {
	sieveRun(100)
	last, elapsed := sieveRun(a.size(2000, 700))
	if want := int64(a.size(17389, 5279)); last != want {
		fail("sieve: the last prime is %d", last)
	}
	result("time", float64(elapsed)/1e6, "ms")
}
