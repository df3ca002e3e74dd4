/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.pml - servers when no more workers can be had: runtime/sched/hire.c,
 * spare.c, release.c, search.c, worker.c.
 *
 * There are NW workers, and no thread more can be started. Property, at every
 * moment when nothing can move but by a call in the kernel that returns:
 *   P1  not (a task is queued, a server is idle, and a worker is a spare or
 *       waits for a server with its task queued)
 * and when all calls have returned:
 *   P2  nothing is queued any more.
 * A call returns soon, or only when nothing else can move, for it may last.
 *
 * Stores that are no read-modify-write go through a store buffer, as in
 * idle.pml, whose model of the search this one leaves out: a searcher looks at
 * everything once.
 *
 * What is left out (each of these makes a variant that must be refuted):
 *   NO_FENCE       who pushes has no fence between the push and the look
 *   NO_WANTED      a worker that becomes a spare goes to sleep, whatever is
 *                  wanted
 *   NO_SERVE       a server that found no worker looks for no task that is
 *                  bound to a waiting one
 *   NO_SERVE_PUSH  nor does a worker that comes back look whether there is an
 *                  idle server, when a worker is wanted
 *   NO_AGAIN       who failed to start a searcher leaves it at that
 * START tasks are queued at the beginning; PUSHES are pushed by tasks, FOREIGN
 * by a thread of the program, and tasks make CALLS in the kernel.
 */
#ifndef NW
#define NW 2
#endif
#ifndef NS
#define NS 1
#endif
#ifndef START
#define START 2
#endif
#ifndef PUSHES
#define PUSHES 1
#endif
#ifndef FOREIGN
#define FOREIGN 1
#endif
#ifndef CALLS
#define CALLS 2
#endif

#define PUSHER NW	/* the thread of the program has a buffer too */
#define NONE   15
#define PLAIN  14

/* --- memory --------------------------------------------------------------- */

bool searched = false;		/* search is not NONE; full operations only */
byte idle_count = 0;		/* the same */
bool idle[NS];			/* under the idle lock */
bool ilock = false;
bool wanted = false;

bool spare[NW];			/* under the idle lock */
byte wsrv[NW] = NONE;		/* given under it, too, then the worker's */
bool wsearching[NW];

byte ring[NS];			/* ready tasks of a server */
byte plain = START;		/* in the global queue */
bool bound[NW];			/* the same: this worker's task */
byte bounds = 0;
bool glock = false;

bool kern[NW];			/* in a call */
bool waits[NW];			/* back from one, for a server */
byte calls = CALLS, pushes = PUSHES, foreign = FOREIGN;

/* --- store buffers -------------------------------------------------------- */

#define B_PLAIN   0	/* one more in the global queue, whose lock is free */
#define B_WANTED  1
#define B_UNLOCK  2
#define B_BOUND   3	/* as B_PLAIN: 3 + worker */
#define B_RING    8	/* 8 + server */

chan buf[NW + 1] = [3] of { byte };

inline apply(k)
{
	if
	:: k == B_PLAIN -> plain++; glock = false
	:: k == B_WANTED -> wanted = true
	:: k == B_UNLOCK -> ilock = false
	:: k >= B_RING -> ring[k - B_RING]++
	:: k >= B_BOUND && k < B_RING ->
		bound[k - B_BOUND] = true;
		bounds++;
		glock = false
	fi;
	k = 0
}

/* In an atomic sequence of the caller's. */
inline flush(p)
{
	do
	:: buf[p]?k -> apply(k)
	:: empty(buf[p]) -> break
	od
}

active proctype memory()
{
	byte k;

end:	do
	:: atomic { buf[0]?k -> apply(k) }
	:: atomic { buf[1]?k -> apply(k) }
#if NW > 2
	:: atomic { buf[2]?k -> apply(k) }
#endif
	:: atomic { buf[PUSHER]?k -> apply(k) }
	od
}

/* --- locks ---------------------------------------------------------------- */

inline lock_idle(p)
{
	atomic { !ilock -> ilock = true; flush(p) }
}

inline unlock_idle(p)
{
	buf[p]!B_UNLOCK
}

/* --- looking -------------------------------------------------------------- */

/* An idle server, one with work if there is one; x is left NONE else. */
inline idle_with_work(x)
{
	d_step {
		x = NONE;
		if
		:: idle[0] -> x = 0
		:: else
		fi;
#if NS > 1
		if
		:: idle[1] && (x == NONE || ring[1] > 0) -> x = 1
		:: else
		fi;
#endif
	}
}

/* Any spare. */
inline some_spare(x)
{
	d_step {
		x = NONE;
		if
		:: spare[0] -> x = 0
		:: else
		fi;
		if
		:: spare[1] -> x = 1
		:: else
		fi;
#if NW > 2
		if
		:: spare[2] -> x = 2
		:: else
		fi;
#endif
	}
}

#if NS > 1
#define RINGS (ring[0] > 0 || ring[1] > 0)
#else
#define RINGS (ring[0] > 0)
#endif
#define GLOBAL (plain > 0 || bounds > 0)

/* --- serving, starting ---------------------------------------------------- */

inline off_list(p, s)
{
	atomic { idle[s] = false; idle_count--; flush(p) }
}

inline on_list(p, s)
{
	atomic { idle[s] = true; idle_count++; flush(p) }
}

/* Lock is held. A bound task's worker out of the global queue: x, or NONE. */
inline take_bound(p, x)
{
	atomic {
		!glock -> flush(p);
		if
		:: bound[0] -> x = 0
		:: bound[1] -> x = 1
#if NW > 2
		:: bound[2] -> x = 2
#endif
		:: else -> x = NONE
		fi;
		if
		:: x != NONE -> bound[x] = false; bounds--
		:: else
		fi
	}
}

inline serve_bound(p)
{
	do
	:: bounds == 0 -> break
	:: else ->
		lock_idle(p);
		idle_with_work(sb_s);
		if
		:: sb_s == NONE -> unlock_idle(p); break
		:: else ->
			take_bound(p, sb_x);
			if
			:: sb_x == NONE -> unlock_idle(p); break
			:: else ->
				off_list(p, sb_s);
				wsrv[sb_x] = sb_s;
				sb_x = 0;
				unlock_idle(p)
			fi
		fi
	od;
	sb_s = 0;
	sb_x = 0
}

/* The idle lock is held, s is off the list. */
inline start_server(p, s, how)
{
	do
	:: some_spare(x);
	   if
	   :: x != NONE ->
		spare[x] = false;
		wsearching[x] = how;
		wsrv[x] = s;
		unlock_idle(p);
		started = true;
		break
	   :: else ->
		unlock_idle(p);
		/* No worker can be started. */
		lock_idle(p);
		on_list(p, s);
		some_spare(x);
		if
		:: x != NONE -> off_list(p, s)
		:: else ->
			buf[p]!B_WANTED;
			unlock_idle(p);
#ifndef NO_SERVE
			serve_bound(p);
#endif
			started = false;
			break
		fi
	   fi
	od;
	x = 0
}

inline start_searcher(p)
{
	do
	:: wanted ->
#ifndef NO_SERVE_PUSH
		serve_bound(p);
#endif
		break
	:: else ->
		atomic {
			flush(p);
			won = !searched;
			searched = true
		}
		if
		:: !won -> break
		:: else
		fi;
		lock_idle(p);
		idle_with_work(ss);
		if
		:: ss != NONE ->
			off_list(p, ss);
			start_server(p, ss, true);
			if
			:: started -> break
			:: else
			fi;
			atomic { flush(p); searched = false }
#ifdef NO_AGAIN
			break
#else
#ifndef NO_SERVE
			serve_bound(p);
#endif
			lock_idle(p);
			some_spare(x);
			if
			:: x == NONE ->
				buf[p]!B_WANTED;
				unlock_idle(p);
				break
			:: else -> unlock_idle(p)
			fi
#endif
		:: else ->
			unlock_idle(p);
			atomic { flush(p); searched = false }
		fi;
		if
		:: idle_count == 0 -> break
		:: else
		fi
	od;
	ss = 0;
	x = 0;
	won = false;
	started = false
}

/* Behind a push. */
inline work_added(p)
{
#ifndef NO_FENCE
	atomic { flush(p) }
#endif
	if
	:: !searched && idle_count > 0 -> start_searcher(p)
	:: else
	fi
}

/* --- workers -------------------------------------------------------------- */

/* One task from everywhere that p may look: have is what it is. */
inline find(p)
{
	atomic {
		if
		:: ring[wsrv[p]] > 0 -> ring[wsrv[p]]--; have = PLAIN
		:: else ->
			!glock -> flush(p);
			if
			:: plain > 0 -> plain--; have = PLAIN
			:: bound[0] -> bound[0] = false; bounds--; have = 0
			:: bound[1] -> bound[1] = false; bounds--; have = 1
#if NW > 2
			:: bound[2] -> bound[2] = false; bounds--; have = 2
#endif
			:: else -> have = NONE
			fi
		fi
	}
}

proctype worker(byte me)
{
	byte s, x, ss, sb_s, sb_x, have, k;
	bool won, started, unseen;

	if
	:: me >= NS -> goto end_spare
	:: else
	fi;
serve:
	assert(wsrv[me] != NONE);
	find(me);
	if
	:: have == NONE -> goto elsewhere
	:: else
	fi;
found:
	if
	:: wsearching[me] ->
		wsearching[me] = false;
		atomic { flush(me); searched = false }
		if
		:: idle_count > 0 && (RINGS || GLOBAL) -> start_searcher(me)
		:: else
		fi
	:: else
	fi;
	if
	:: have != PLAIN -> /* hand over */
		s = wsrv[me];
		wsrv[me] = NONE;
		wsrv[have] = s;
		goto become_spare
	:: else
	fi;
	/* The task: it ends, pushes another, or makes a call. */
runs:
	if
	:: goto serve
	:: pushes > 0 ->
		atomic { pushes--; buf[me]!(B_RING + wsrv[me]) }
		work_added(me);
		goto runs
	:: calls > 0 ->
		calls--;
		goto call
	fi;

elsewhere:
	if
	:: !wsearching[me] ->
		atomic {
			flush(me);
			wsearching[me] = !searched;
			searched = true
		}
	:: else
	fi;
	if
	:: wsearching[me] ->
		/* Looks at the others, too. */
		atomic {
			have = NONE;
			if
			:: ring[0] > 0 -> ring[0]--; have = PLAIN
#if NS > 1
			:: ring[1] > 0 -> ring[1]--; have = PLAIN
#endif
			:: else
			fi
		}
		if
		:: have == PLAIN -> goto found
		:: else
		fi;
		find(me);
		if
		:: have != NONE -> goto found
		:: else
		fi
	:: else
	fi;
	/* go_idle() */
	s = wsrv[me];
	wsrv[me] = NONE;
	if
	:: wsearching[me] ->
		wsearching[me] = false;
		atomic { flush(me); searched = false }
	:: else
	fi;
	lock_idle(me);
	on_list(me, s);
	unlock_idle(me);
	if
	:: searched -> unseen = GLOBAL
	:: else -> unseen = RINGS || GLOBAL
	fi;
	if
	:: !unseen -> goto become_spare
	:: else
	fi;
	lock_idle(me);
	if
	:: idle[s] ->
		off_list(me, s);
		wsrv[me] = s;
		unlock_idle(me);
		goto serve
	:: else -> unlock_idle(me)
	fi;

become_spare:
	s = 0;
	have = 0;
	unseen = false;
	lock_idle(me);
#ifndef NO_WANTED
	if
	:: wanted ->
		atomic { wanted = false; flush(me) }
		idle_with_work(x);
		if
		:: x != NONE ->
			off_list(me, x);
			wsrv[me] = x;
			x = 0;
			unlock_idle(me);
			goto serve
		:: else
		fi
	:: else
	fi;
#endif
	x = 0;
	spare[me] = true;
	unlock_idle(me);
end_spare:
	wsrv[me] != NONE;
	goto serve;

call:
	have = 0;
	s = wsrv[me];
	wsrv[me] = NONE;
	lock_idle(me);
	if
	:: ring[s] > 0 ->
		start_server(me, s, false);
		started = false
	:: else ->
		on_list(me, s);
		unlock_idle(me);
		if
		:: searched -> unseen = GLOBAL
		:: else -> unseen = RINGS || GLOBAL
		fi;
		if
		:: unseen -> work_added(me)
		:: else
		fi;
		unseen = false
	fi;
	s = 0;
	/* It is over soon, or when nothing else can move. */
	if
	:: true
	:: kern[me] = true;
		!kern[me]
	fi;
	lock_idle(me);
	idle_with_work(x);
	if
	:: x != NONE ->
		off_list(me, x);
		wsrv[me] = x;
		x = 0;
		unlock_idle(me)
	:: else ->
		x = 0;
		unlock_idle(me);
		atomic { !glock -> glock = true; flush(me) }
		buf[me]!(B_BOUND + me);
		work_added(me);
		waits[me] = true;
		wsrv[me] != NONE;
		waits[me] = false
	fi;
	goto runs
}

/* A thread that is no worker. */
active proctype thread()
{
	byte x, ss, sb_s, sb_x, k;
	bool won, started;

	do
	:: foreign > 0 ->
		foreign--;
		atomic { !glock -> glock = true; flush(PUSHER) }
		buf[PUSHER]!B_PLAIN;
		work_added(PUSHER)
	:: foreign == 0 -> break
	od
}

/* Looks when nothing moves, then lets a call return. */
active proctype judge()
{
	byte i;

	do
	:: timeout ->
		atomic {
			assert(!((GLOBAL || RINGS) && idle_count > 0 &&
				 (spare[0] || spare[1] || waits[0] || waits[1]
#if NW > 2
				  || spare[2] || waits[2]
#endif
				  )));
			if
			:: kern[0] -> kern[0] = false
			:: kern[1] -> kern[1] = false
#if NW > 2
			:: kern[2] -> kern[2] = false
#endif
			:: else ->
				assert(!GLOBAL && !RINGS);
				break
			fi
		}
	od
}

init
{
	byte i;

	atomic {
		/* As many as there are servers have one; the others are
		 * spares. */
		for (i : 0 .. NW - 1) {
			if
			:: i < NS -> wsrv[i] = i
			:: else -> spare[i] = true
			fi;
		}
		run worker(0);
		run worker(1);
#if NW > 2
		run worker(2)
#endif
	}
}
