// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"net/http"
)

// listen takes a free loopback port and says which.
func listen() net.Listener {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	fmt.Printf("port %d\n", l.Addr().(*net.TCPAddr).Port)
	return l
}

// echo serves until it is killed; package net sets TCP_NODELAY itself.
func echo(*args) {
	l := listen()
	for {
		c, err := l.Accept()
		if err != nil {
			fail("%v", err)
		}
		go func() {
			defer c.Close()
			var buf [512]byte
			for {
				n, err := c.Read(buf[:])
				if err != nil {
					return
				}
				if _, err = c.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}

func serveHTTP(*args) {
	http.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte("hello, wide web\n"))
	})
	fail("%v", http.Serve(listen(), nil))
}
