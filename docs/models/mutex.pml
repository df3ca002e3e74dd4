/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutex.pml - a mutex whose unlock has no locked instruction:
 * runtime/sync/mutex.c.
 *
 * Tasks, each for ever on a worker of its own here: switching is park.pml's.
 * The last ones' waits may time out at any moment. A woken task that has found
 * the mutex taken may say that it starves, or not. The mutex shares its queue
 * with no other: attention is then 0 or 1.
 *
 * Properties:
 *   - one holder at a time
 *   - every task ends: no wake-up is lost
 *   - at the end the mutex is free, without flags, and attention is 0
 *
 * Every store but a locked one goes through a store buffer for each task's
 * processor, as on x86 (see README.md). What is left out, to be refuted:
 *   NO_HEAVY       a waiter does not fence between its flags and its look
 *   NO_RELEASE     unlock's look at attention comes before its store
 *   NO_GIVE_UP     a waiter that timed out tidies the flags, wakes nobody
 *   NO_TIDY        and does not tidy them either
 *   NO_DROP        a woken waiter leaves WOKEN set when it queues again
 * To be accepted:
 *   NO_MEMBARRIER  both fences are full ones of their own processor
 */
#ifndef TASKS
#define TASKS 3
#endif
#ifndef ROUNDS
#define ROUNDS 2	/* how often the first two lock it, the others once */
#endif
#ifndef TIMED
#define TIMED 1		/* tasks whose waits may time out: the last ones */
#endif

#define NO 7

#define WAITERS 1
#define WOKEN 2
#define STARVING 4

/* --- memory and store buffers --------------------------------------------- */

#define STATE 0
#define FLAGS 1
#define ATTENTION 2
#define QUEUE_LOCK 3
byte mem[4];
chan buf[TASKS] = [6] of { byte, byte };

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
#if TASKS > 2
	:: atomic { buf[2]?a,v -> mem[a] = v; a = 0; v = 0 }
#endif
#if TASKS > 3
	:: atomic { buf[3]?a,v -> mem[a] = v; a = 0; v = 0 }
#endif
	od
}

inline fence_light()
{
#ifdef NO_MEMBARRIER
	atomic { flush(me) }
#else
	skip
#endif
}

inline fence_heavy()
{
#ifdef NO_HEAVY
	skip
#else
	atomic {
		flush(me);
#ifndef NO_MEMBARRIER
		flush(0);
		flush(1);
#if TASKS > 2
		flush(2);
#endif
#if TASKS > 3
		flush(3);
#endif
#endif
	}
#endif
}

/* --- under the queue's lock ----------------------------------------------- */

byte queue[TASKS] = NO;		/* front first */
byte queued;			/* how many */
byte flags;			/* what the holders of the lock see: each sees */
bool attention;			/* its own stores, and took the lock after the
				 * other's were in memory */
#define WANTS_WAKE(f) (((f) & (WAITERS | WOKEN)) == WAITERS)

bool waiting[TASKS];		/* the wait word: WAITING, or claimed */
bool permit[TASKS];		/* made ready */
bool handed[TASKS];		/* the waiter's result */

byte holders;
byte done;

/* What I see without the lock: stores of mine to it are in the buffer only
 * while that of the unlock, which follows them, is. */
#define MINE(word, locked) (buf[me]??[QUEUE_LOCK,0] -> locked : mem[word])

inline set_flags(f)
{
	atomic {
		flags = f;
		buf[me]!FLAGS,flags;
		if
		:: attention != WANTS_WAKE(flags) ->
			attention = WANTS_WAKE(flags);
			buf[me]!ATTENTION,attention
		:: else
		fi
	}
}

inline queue_lock()
{
	atomic { mem[QUEUE_LOCK] == 0 -> flush(me); mem[QUEUE_LOCK] = 1 }
}

inline queue_unlock()
{
	buf[me]!QUEUE_LOCK,0
}

/* Take me out, wherever I am. */
inline dequeue(who)
{
	i = 0;
	do
	:: i < queued && queue[i] != who -> i++
	:: else -> break
	od;
	if
	:: i < queued ->
		do
		:: i + 1 < queued -> queue[i] = queue[i + 1]; i++
		:: else -> break
		od;
		queue[i] = NO;
		queued--
	:: else
	fi;
	i = 0
}

/* The first in the queue whose claim is won: in w, or NO. One step: nobody
 * else is in the queue, and a claim of a timed-out waiter's fails. */
inline claim_first()
{
	atomic {
		flush(me);
		w = NO;
		do
		:: queued > 0 && w == NO ->
			w = queue[0];
			dequeue(w);
			if
			:: waiting[w] -> waiting[w] = false
			:: else -> w = NO
			fi
		:: else -> break
		od
	}
}

inline tidy()
{
	if
	:: queued == 0 && (flags & ~WOKEN) -> set_flags(flags & WOKEN)
	:: else
	fi
}

/* take(): in got */
inline take()
{
	atomic {
		got = mem[STATE] == 0;
		if
		:: got -> flush(me); mem[STATE] = 1
		:: else
		fi
	}
}

/* --- waking --------------------------------------------------------------- */

/* state_ as its own processor sees it: the store of 0 may be on its way. */
#define STATE_IS_0 (mem[STATE] == 0)

inline wake_one()
{
	queue_lock();
	w = NO;
	if
	:: queued > 0 ->
		if
		:: WANTS_WAKE(flags) && STATE_IS_0 ->
			claim_first();
			if
			:: w != NO -> set_flags(flags | WOKEN)
			:: w == NO
			fi;
			tidy()
		:: else
		fi
	:: queued == 0
	fi;
	queue_unlock();
	if
	:: atomic { w != NO -> flush(me); permit[w] = true; w = NO }
	:: w == NO
	fi
}

/* In got: handed over. */
inline hand_over()
{
	queue_lock();
	claim_first();
	if
	:: w != NO -> handed[w] = true
	:: w == NO
	fi;
	set_flags(flags & ~STARVING);
	tidy();
	queue_unlock();
	if
	:: atomic { w != NO -> flush(me); permit[w] = true; w = NO; got = true }
	:: atomic { w == NO -> got = false }
	fi
}

/* --- a task --------------------------------------------------------------- */

proctype task(byte me; byte rounds; bool timed)
{
	byte a, v, w = NO, i;
	byte woken, starving, tries;
	bool got;

again:	/* wend_mutex_lock() */
	atomic {
		flush(me);
		got = mem[STATE] == 0;
		if
		:: got -> mem[STATE] = 1; goto locked
		:: else
		fi
	}
wait:	/* wait_for() */
	queue_lock();
	/* announce() */
	if
	:: (((flags & ~woken) | WAITERS | starving) != flags) ->
		set_flags((flags & ~woken) | WAITERS | starving);
		fence_heavy()
	:: else
	fi;
	take();
	if
	:: got -> tidy(); queue_unlock(); goto locked
	:: !got
	fi;
	/* wend__wait_on() */
	atomic {
		waiting[me] = true;
		if
		:: woken ->
			i = queued;
			do
			:: i > 0 -> queue[i] = queue[i - 1]; i--
			:: i == 0 -> break
			od;
			queue[0] = me
		:: else -> queue[queued] = me
		fi;
		queued++
	}
	queue_unlock();
	if
	:: atomic { permit[me] -> permit[me] = false; flush(me) }
	:: atomic { timed && waiting[me] -> flush(me); waiting[me] = false }
		/* Timed out: out of the queue, then give_up(). */
		queue_lock();
		atomic { dequeue(me) }
		queue_unlock();
#ifndef NO_TIDY
		queue_lock();
		tidy();
		queue_unlock();
#endif
#if !defined(NO_GIVE_UP) && !defined(NO_TIDY)
		wake_one();
#endif
		goto over
	fi;
	if
	:: atomic { handed[me] -> handed[me] = false; assert(mem[STATE] == 1) }
		goto locked
	:: !handed[me]
	fi;
#ifndef NO_DROP
	woken = WOKEN;
#endif
	if
	:: atomic { tries == 0 -> tries = 1 }
	:: tries == 1
	:: atomic { tries == 1 -> starving = STARVING }
	fi;
	goto wait;

locked:	atomic {
		holders++;
		assert(holders == 1);
		woken = 0;
		starving = 0;
		tries = 0
	}
	holders--;
	/* wend_mutex_unlock() */
	if
	:: MINE(FLAGS, flags) & STARVING ->
		hand_over();
		if
		:: got -> goto over
		:: !got
		fi
	:: else
	fi;
#ifdef NO_RELEASE
	got = MINE(ATTENTION, attention);
	buf[me]!STATE,0;
#else
	buf[me]!STATE,0;
	fence_light();
	got = MINE(ATTENTION, attention);
#endif
	if
	:: got -> wake_one()
	:: !got
	fi;
over:	/* or handed over, or timed out */
	rounds--;
	if
	:: rounds > 0 -> goto again
	:: rounds == 0 -> done++
	fi
}

active proctype judge()
{
	timeout;
	/* Else spin says that there is an end state that is none. */
	if
	:: done == TASKS ->
		assert(mem[STATE] == 0 && mem[FLAGS] == 0);
		assert(mem[ATTENTION] == 0 && queued == 0)
	:: else
	fi
}

init
{
	atomic {
		run task(0, ROUNDS, TIMED >= TASKS);
#if TASKS > 2
		run task(1, ROUNDS, TIMED >= TASKS - 1);
#endif
#if TASKS > 3
		run task(2, 1, TIMED >= 2);
#endif
		run task(TASKS - 1, 1, TIMED >= 1)
	}
}
