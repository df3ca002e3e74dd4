/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lone.pml - a lock without locked instructions while there is but one server:
 * runtime/base/lone.{h,c}.
 *
 * Process 0 is who has the server. Who that is may change: the server's state
 * goes from one to the next with full fences, so one process stands for all.
 * The others are threads of the program; the first of them may be in a lock
 * already when the server starts. There are two locks.
 *
 * Properties:
 *   - one holder at a time
 *   - everybody gets the lock in the end, and it is free then
 *
 * Every store but a locked one goes through a store buffer for each process's
 * processor, as on x86 (see README.md). What is left out, to be refuted:
 *   NO_HEAVY    the first thread ends it without membarrier()
 *   NO_ENDING   it says so before the membarrier(), not after: a second thread
 *               does not wait for the fence
 *   NO_WAIT     a thread does not look whether somebody is inside
 *   NO_WORD     who has the server does not look at word
 *   NO_BACK     and goes on although it is not alone any more
 */
#ifndef THREADS
#define THREADS 2
#endif
#ifndef ROUNDS
#define ROUNDS 3	/* how often who has the server takes it */
#endif

#define OFF 0
#define ON 1
#define ENDING 2

/* --- memory and store buffers --------------------------------------------- */

#define WORD(l) (l)
#define INSIDE(l) (2 + (l))
#define LONE 4
byte mem[5];
chan buf[3] = [4] of { byte, byte };

/* In an atomic sequence of the caller's. */
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
	:: atomic { buf[0]?a,v -> mem[a] = v; a = 0; v = 0 }
	:: atomic { buf[1]?a,v -> mem[a] = v; a = 0; v = 0 }
	:: atomic { buf[2]?a,v -> mem[a] = v; a = 0; v = 0 }
	od
}

inline membarrier()
{
#ifdef NO_HEAVY
	skip
#else
	atomic { flush(0); flush(1); flush(2) }
#endif
}

/* What process me sees of an address: its own last store, if it is not in
 * memory yet. Here only who has the server stores what it reads, and reads
 * INSIDE never. */
#define SEES(address) mem[address]

/* --- the lock ------------------------------------------------------------- */

bool by_inside[2];		/* the lock's "lone", the holder's */
byte holders[2], done;
bool started;

inline critical(l)
{
	holders[l]++;
	assert(holders[l] == 1);
	holders[l]--
}

/* Everybody's way but that of who is alone. */
inline lock_slow(l)
{
	atomic {		/* locked: what is buffered goes first */
		flush(me);
		mem[WORD(l)] == 0 -> mem[WORD(l)] = 1
	}
	if
	:: SEES(LONE) != OFF ->
#ifdef NO_ENDING
		atomic { flush(me); mem[LONE] = OFF };
		membarrier()
#else
		atomic {
			flush(me);
			if
			:: mem[LONE] == ON -> mem[LONE] = ENDING
			:: else
			fi
		}
		membarrier();
		buf[me]!LONE,OFF
#endif
	:: else
	fi;
#ifndef NO_WAIT
	SEES(INSIDE(l)) == 0;
#endif
	by_inside[l] = false
}

inline unlock(l)
{
	if
	:: by_inside[l] -> buf[me]!INSIDE(l),0
	:: else -> buf[me]!WORD(l),0
	fi
}

active proctype server()
{
	byte a, v, n, at, me = 0;
	bool lone = true, got;

	started;
	do
	:: n < ROUNDS ->
		got = false;
		if
		:: at = 0
		:: at = 1
		fi;
		if
		:: lone ->
			buf[me]!INSIDE(at),1;
			got = true;
#ifndef NO_BACK
			if
			:: SEES(LONE) != ON -> got = false
			:: else
			fi;
#endif
#ifndef NO_WORD
			if
			:: got && SEES(WORD(at)) -> got = false
			:: else
			fi;
#endif
			if
			:: got -> by_inside[at] = true
			:: else -> buf[me]!INSIDE(at),0
			fi
		:: else
		fi;
		if
		:: !got ->
			lock_slow(at);
			lone = false
		:: else
		fi;
		critical(at);
		unlock(at);
		n++
	:: else -> break
	od;
	done++
}

proctype thread(byte me)
{
	byte a, v, at;

	if
	:: at = 0
	:: at = 1
	fi;
	lock_slow(at);
	critical(at);
	unlock(at);
	done++
}

init {
	byte a, v;

	run thread(1);		/* from before the start, or later */
	atomic { mem[LONE] = ON; started = true }
#if THREADS > 1
	run thread(2);
#endif
	done == THREADS + 1;
	atomic { flush(0); flush(1); flush(2) }
	assert(mem[0] + mem[1] + mem[2] + mem[3] == 0)
}
