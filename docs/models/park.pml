/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park.pml - a task parks, is claimed by one of several wakers, and is run
 * again: runtime/sched/{task.h,wait.h,wait.c,switch.c}.
 *
 * Two workers run two tasks that wake each other through objects (a count and
 * a queue of one waiter, under a lock). Task 0 waits with a deadline, then on
 * an object that nobody posts: only cancellation ends that. So a wait has up
 * to three wakers: the object's other side, the clock, the canceller.
 *
 * Properties:
 *   - a task is on one worker at a time (on_stack)
 *   - exactly one waker wins each wait, and woken_by says which (wins)
 *   - a deadline ends the wait that it was made for, no later one
 *   - nothing is made ready twice
 *   - every task ends: no wake-up is lost, no two pickers wait for each other
 *     (else there is an end state with a worker that is not at its end)
 *
 * Every store but a locked one goes through a store buffer for each worker, as
 * on x86 (see README.md). What is left out, to be refuted:
 *   NO_ON_CPU        a picker does not wait until the task has been left
 *   WAIT_ON_STACK    it does, but on the stack of the task that it leaves
 *   NO_CANCEL_FENCE  the canceller has no heavy fence between its two steps
 *   NO_CLAIM         waking looks at wait and stores, without exchanging
 *   NO_TICKET        a claim compares WAITING alone
 */
#ifndef ROUNDS
#define ROUNDS 1	/* waits of each task on an object that is posted */
#endif

#define NO 7

/* --- memory and store buffers --------------------------------------------- */

/* One word each: wait of a task, its on_cpu, the objects' locks, cancelled. */
#define WAIT(task) (task)
#define ON_CPU(task) (2 + (task))
#define LOCK(object) (4 + (object))
#define CANCELLED 7
byte mem[8];

#define WAITING 1
#define CLAIMED 2
#define TICKET 4	/* times the wait's number */

#define CANCELLER 2
#define CLOCK 3		/* has nothing to store but by exchange */
chan buf[4] = [4] of { byte, byte };

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

/* on_cpu is 0 for worker p: its own store, which may not be in memory yet,
 * counts. It is the last of those to this word: 1 is followed by the run. */
#define LEFT(p, task) (mem[ON_CPU(task)] == 0 || buf[p]??[eval(ON_CPU(task)),0])

/* --- what locks protect, and what is a task's own ------------------------- */

byte count[3];			/* objects */
byte waiter[3] = NO;
byte waiter_ticket[3];

bool ready[2];			/* in a run queue; taken by an exchange */
byte armed;			/* task 0's timer: the ticket; 0: none */

#define BY_OBJECT 1
#define BY_CLOCK 2
#define BY_CANCEL 3
byte woken_by[2];
byte wins[2];			/* claims won of the current wait */
byte ticket[2];
byte timed_out;			/* the ticket that the clock claimed with */
byte round[2];
bool parked[2];			/* where the task goes on: after its wait */
bool on_stack[2];		/* some worker's stack pointer is in it */
byte done;

/* --- waking --------------------------------------------------------------- */

/* wend__claim(), and the winner's woken_by. */
inline claim(who, task, with, by)
{
#ifdef NO_CLAIM
	won = mem[WAIT(task)] == with;
	if
	:: atomic { won -> flush(who); mem[WAIT(task)] = with + 1 }
	:: !won
	fi;
#else
	atomic {
		flush(who);
#ifdef NO_TICKET
		won = mem[WAIT(task)] % TICKET == WAITING;
#else
		won = mem[WAIT(task)] == with;
#endif
		if
		:: won -> mem[WAIT(task)] = mem[WAIT(task)] + CLAIMED - WAITING
		:: else
		fi
	}
#endif
	if
	:: atomic { won -> wins[task]++; woken_by[task] = by }
	:: !won
	fi
}

/* wend__ready(): the exchange at the run queue is a full fence. */
inline make_ready(who, task)
{
	atomic {
		flush(who);
		assert(!ready[task]);
		ready[task] = true
	}
}

inline lock(who, object)
{
	atomic { mem[LOCK(object)] == 0 -> flush(who); mem[LOCK(object)] = 1 }
}

/* An object's other side. */
inline post(who, object, task)
{
	lock(who, object);
	if
	:: waiter[object] == NO ->
		won = false;
		atomic { count[object]++; buf[who]!LOCK(object),0 }
	:: else ->
		waiter[object] = NO;
		claim(who, task, waiter_ticket[object], BY_OBJECT);
		if
		:: won -> buf[who]!LOCK(object),0; make_ready(who, task)
		:: atomic { !won -> count[object]++; buf[who]!LOCK(object),0 }
		fi
	fi;
	won = false
}

/* deadline_fire() */
active proctype clock()
{
	byte a, v, tk;
	bool won;

end:	do
	:: atomic { armed != 0 -> tk = armed; armed = 0 }
		claim(CLOCK, 0, tk, BY_CLOCK);
		if
		:: atomic { won ->
			timed_out = tk;
			assert(!ready[0]);
			ready[0] = true
		   }
		:: !won
		fi;
		atomic { won = false; tk = 0 }
	od
}

/* wend_task_cancel() */
active proctype canceller()
{
	byte a, v, tk;
	bool won;

	buf[CANCELLER]!CANCELLED,1;
#ifndef NO_CANCEL_FENCE
	/* Heavy: every processor runs a full fence. */
	atomic { flush(CANCELLER); flush(0); flush(1) }
#endif
	do
	:: tk = mem[WAIT(0)];
		if
		:: tk % TICKET != WAITING -> break
		:: else ->
			claim(CANCELLER, 0, tk, BY_CANCEL);
			if
			:: won -> make_ready(CANCELLER, 0); break
			:: !won
			fi
		fi
	od
}

/* --- a worker ------------------------------------------------------------- */

/* The object that task t waits on in its round. */
#define OBJECT (round[t] < ROUNDS -> t : 2)

proctype worker(byte p)
{
	byte a, v;
	byte t = NO;		/* whose code it runs */
	byte next = NO;		/* what it picked: the hint, on the way */
	byte prev = NO;		/* what it has left and not yet finished */
	bool won;

scheduler:
	/* On its own stack. finish() first. */
	atomic {
		t = NO;
		if
		:: prev != NO -> buf[p]!ON_CPU(prev),0; prev = NO
		:: else
		fi
	}
	if
	:: atomic { next != NO -> t = next; next = NO }
	:: atomic { next == NO && ready[0] -> flush(p); ready[0] = false; t = 0 }
	:: atomic { next == NO && ready[1] -> flush(p); ready[1] = false; t = 1 }
	:: next == NO && done == 2 -> goto out
	fi;
#ifndef NO_ON_CPU
	LEFT(p, t);
#endif
	buf[p]!ON_CPU(t),1;	/* take_up() */

enter:	/* The switch has been made: on t's stack. */
	atomic {
		assert(!on_stack[t]);
		on_stack[t] = true;
		if
		:: prev != NO -> buf[p]!ON_CPU(prev),0; prev = NO
		:: else
		fi
	}
	if
	:: parked[t] -> goto woken
	:: !parked[t]
	fi;

body:	/* A round: wake the other one, then wait. */
	if
	:: round[t] < ROUNDS ->
		if
		:: t == 0 -> post(p, 1, 1)
		:: t == 1 -> post(p, 0, 0)
		fi
	:: round[t] == ROUNDS && t == 0
	:: else -> goto end_task
	fi;
	if
	:: OBJECT == 0 -> lock(p, 0)
	:: OBJECT == 1 -> lock(p, 1)
	:: OBJECT == 2 -> lock(p, 2)
	fi;
	if
	:: atomic { count[OBJECT] > 0 ->
		count[OBJECT] = count[OBJECT] - 1;
		buf[p]!LOCK(OBJECT),0
	   }
		goto next_round
	:: atomic { count[OBJECT] == 0 ->
		/* wend__wait_begin(), the queue, and unlock */
		ticket[t] = (round[t] + 1) * TICKET + WAITING;
		waiter[OBJECT] = t;
		waiter_ticket[OBJECT] = ticket[t];
		buf[p]!WAIT(t),ticket[t]
	   }
		buf[p]!LOCK(OBJECT),0
	fi;
	/* cancelled_already(): fence_light is no instruction. */
	if
	:: t == 0 && mem[CANCELLED] ->
		claim(p, t, ticket[t], BY_CANCEL);
		if
		:: won -> won = false; goto woken
		:: !won
		fi
	:: else
	fi;
	if
	:: atomic { t == 0 && round[0] < ROUNDS -> flush(p); armed = ticket[0] }
	:: else
	fi;

	/* wend__park(): pick() may send us to the scheduler, too. */
	parked[t] = true;
leave:	if
	:: atomic { ready[0] -> flush(p); ready[0] = false; next = 0 }
	:: atomic { ready[1] -> flush(p); ready[1] = false; next = 1 }
	:: skip
	fi;
	if
	:: atomic { next == t -> next = NO; goto woken }
	:: next != t
	fi;
#ifdef WAIT_ON_STACK
	if
	:: next != NO -> LEFT(p, next)
	:: next == NO
	fi;
#endif
	if
#ifdef NO_ON_CPU
	:: next != NO ->
#else
	:: next != NO && LEFT(p, next) ->
#endif
		buf[p]!ON_CPU(next),1;
		/* Registers saved, the stack pointer in the next one's. */
		atomic { on_stack[t] = false; prev = t; t = next; next = NO }
		goto enter
	:: else ->
		atomic { on_stack[t] = false; prev = t }
		goto scheduler
	fi;

woken:	atomic {
		parked[t] = false;
		assert(wins[t] == 1);
		wins[t] = 0;
		assert(woken_by[t] != 0);
		assert(woken_by[t] != BY_CLOCK || timed_out == ticket[t])
	}
	if
	:: woken_by[t] == BY_OBJECT
	:: woken_by[t] != BY_OBJECT ->
		/* wend__wait_on(): out of the queue again */
		if
		:: OBJECT == 0 -> lock(p, 0)
		:: OBJECT == 1 -> lock(p, 1)
		:: OBJECT == 2 -> lock(p, 2)
		fi;
		atomic {
			if
			:: waiter[OBJECT] == t -> waiter[OBJECT] = NO
			:: else
			fi;
			buf[p]!LOCK(OBJECT),0
		}
	fi;
	if
	:: atomic { t == 0 && woken_by[0] != BY_CLOCK -> flush(p); armed = 0 }
	:: else
	fi;
	woken_by[t] = 0;

next_round:
	round[t]++;
	goto body;

end_task:
	atomic { done++; round[t] = NO }
	/* The last switch: as in leave, but nobody waits for this one. */
	atomic { on_stack[t] = false; t = NO }
	goto scheduler;
out:
	skip
}

init
{
	atomic {
		ready[0] = true;
		ready[1] = true;
		run worker(0);
		run worker(1)
	}
}
