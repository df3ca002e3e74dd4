/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preempt.pml - a server is taken from its worker: runtime/base/preempt.h,
 * runtime/sched/preempt.{h,c}, hand_over in release.c.
 *
 * One worker with one task goes in and out of the runtime. The watchdog tries
 * to take its server, as from one that blocks, or asks for it by a signal, as
 * from one that computes. It passes it on to another worker, and may find that
 * the first one runs without. The other worker serves the global queue, and
 * leaves the server idle when that is empty.
 *
 * Properties:
 *   - inside the runtime the worker has the server, and nobody else does
 *   - the task is in the global queue once at most, and not while it is inside
 *   - the worker comes to its end: no wake-up is lost
 *
 * Memory as in park.pml: plain stores go through a buffer for each thread. The
 * idle lock is taken by atomic sequences that empty the buffer.
 *
 * What is left out, to be refuted:
 *   NO_FENCE     the watchdog looks at the count without membarrier()
 *   NO_LOOK      the worker goes in without a look at the claim
 *   NO_NO        it looks, and does not say no to CLAIMING
 *   BLIND_QUEUE  the watchdog stores QUEUED without exchanging
 *   END_ANY      who hands over ends the claim of one that queued itself, too
 *   WAIT_TAKEN   the handler waits until the claim is no longer TAKEN
 *   SERVER_LAST  who hands over ends the claim before it writes the server
 */
#ifndef ROUNDS
#define ROUNDS 2	/* times that the worker goes in */
#endif
#ifndef TRIES
#define TRIES 2		/* of the watchdog to take the server */
#endif

#define NONE 0
#define CLAIMING 1
#define TAKEN 2
#define QUEUED 3
#define STOPPING 4

#define COUNT 0
#define CLAIM 1
#define HELD 2		/* worker.server: 1 it holds one, as far as it knows */
byte mem[3];

#define WORKER 0
#define WATCHDOG 1
#define OTHER 2
#define IDLE 3
chan buf[3] = [4] of { byte, byte };

byte owner = WORKER;	/* whose the server is in truth */
byte queued;		/* how often the task is in the global queue */
bool signal;		/* is on its way to the worker */
bool stopped;		/* it gave its server up in the handler */
bool inside;
bool ended;

inline flush(who)
{
	do
	:: buf[who]?a,v -> mem[a] = v; a = 0; v = 0
	:: empty(buf[who]) -> break
	od
}

active proctype memory()
{
	byte a, v;

end:	do
	:: atomic { buf[WORKER]?a,v -> mem[a] = v; a = 0; v = 0 }
	:: atomic { buf[OTHER]?a,v -> mem[a] = v; a = 0; v = 0 }
	od
}

/* A locked compare-and-exchange. */
inline cas(who, from, to)
{
	atomic {
		flush(who);
		won = mem[CLAIM] == from;
		if
		:: won -> mem[CLAIM] = to
		:: else
		fi
	}
}

/* --- the worker ------------------------------------------------------------ */

/* wend__server_acquire(): an idle server, or the global queue. */
inline acquire()
{
	atomic {
		flush(WORKER);
		if
		:: owner == IDLE -> owner = WORKER; mem[HELD] = 1
		:: else ->
			assert(queued == 0);
			queued++
		fi
	}
	mem[HELD] == 1
}

inline claimed()
{
	do
	:: mem[CLAIM] == NONE -> break
	:: mem[CLAIM] == QUEUED -> mem[CLAIM] != QUEUED
#ifdef NO_NO
	:: mem[CLAIM] == CLAIMING -> break
#else
	:: mem[CLAIM] == CLAIMING -> cas(WORKER, CLAIMING, NONE)
#endif
	:: mem[CLAIM] == STOPPING -> cas(WORKER, STOPPING, NONE)
	:: mem[CLAIM] == TAKEN ->
		cas(WORKER, TAKEN, NONE);
		if
		:: won ->
			atomic { flush(WORKER); mem[HELD] = 0 }
			acquire()
		:: !won
		fi
	od
}

/* wend__server_stopped(): the signal's handler, outside. Inside it does nothing,
 * which is as if it came later. */
inline handler()
{
	if
	:: signal ->
		signal = false;
		cas(WORKER, STOPPING, TAKEN);
		if
		:: won ->
			stopped = true;
#ifdef WAIT_TAKEN
			mem[CLAIM] != TAKEN
#else
			!stopped
#endif
		:: !won
		fi;
		mem[CLAIM] != QUEUED
	:: true
	fi
}

active proctype worker()
{
	byte a, v, round;
	bool won;

	mem[HELD] = 1;
	do
	:: round < ROUNDS ->
		handler();
		buf[WORKER]!COUNT,1;
#ifndef NO_LOOK
		claimed();
#endif
		/* What it finds is its own until it goes out. */
		assert(mem[HELD] == 1);
		inside = true;
		assert(owner == WORKER);
		assert(queued == 0);
		inside = false;
		buf[WORKER]!COUNT,0;
		round++
	:: round == ROUNDS -> break
	od;
	/* The task ends: for ever inside, and the server is given back. */
	buf[WORKER]!COUNT,1;
#ifndef NO_LOOK
	claimed();
#endif
	atomic {
		flush(WORKER);
		assert(owner == WORKER && queued == 0);
		owner = IDLE;
		ended = true
	}
}

/* --- the watchdog ------------------------------------------------------------ */

inline queue_it()
{
#ifdef BLIND_QUEUE
	won = mem[CLAIM] == TAKEN;
	if
	:: atomic { won -> mem[CLAIM] = QUEUED }
	:: !won
	fi;
#else
	cas(WATCHDOG, TAKEN, QUEUED);
#endif
	if
	:: atomic { won ->
		assert(queued == 0);
		queued++;
		/* An idle server is started for it. */
		if
		:: owner == IDLE -> owner = OTHER
		:: else
		fi
	   }
	:: !won
	fi
}

active proctype watchdog()
{
	byte a, v, try;
	bool won;

	do
	:: try < TRIES ->
		try++;
		cas(WATCHDOG, NONE, STOPPING);
		if
		:: won -> signal = true
		:: !won
		fi
	:: stopped ->
		assert(owner == WORKER && !inside && mem[CLAIM] == TAKEN);
		owner = OTHER;
		stopped = false;
		queue_it()
	:: try < TRIES ->
		try++;
		cas(WATCHDOG, NONE, CLAIMING);
		if
		:: !won -> cas(WATCHDOG, STOPPING, CLAIMING)
		:: won
		fi;
		if
		:: won ->
#ifndef NO_FENCE
			atomic { flush(WORKER) };
#endif
			if
			:: mem[COUNT] > 0 || ended ->
				cas(WATCHDOG, CLAIMING, NONE)
			:: else ->
				cas(WATCHDOG, CLAIMING, TAKEN);
				if
				:: won ->
					assert(!inside);
					owner = OTHER;
					if
					:: queue_it()
					:: skip	/* it blocks for long */
					fi
				:: !won
				fi
			fi
		:: !won
		fi;
		/* One that was left alone is looked at again. */
		if
		:: mem[CLAIM] == TAKEN && owner != WORKER -> queue_it()
		:: skip
		fi
	:: ended -> break
	od
}

/* --- the other worker ---------------------------------------------------------- */

active proctype other()
{
	byte a, v;

end:	do
	/* Hands the server to the thread that the task is bound to. */
	:: atomic { owner == OTHER && queued > 0 ->
		queued--;
		owner = WORKER
	   };
	   if
#ifndef END_ANY
	   :: mem[CLAIM] != QUEUED -> buf[OTHER]!HELD,1
	   :: mem[CLAIM] == QUEUED ->
#else
	   :: true ->
#endif
#ifdef SERVER_LAST
		buf[OTHER]!CLAIM,NONE;
		buf[OTHER]!HELD,1
#else
		buf[OTHER]!HELD,1;
		buf[OTHER]!CLAIM,NONE
#endif
	   fi
	/* Nothing to do: idle, and what is queued later starts it again. */
	:: atomic { owner == OTHER && queued == 0 -> owner = IDLE }
	:: atomic { owner == IDLE && queued > 0 -> owner = OTHER }
	od
}
