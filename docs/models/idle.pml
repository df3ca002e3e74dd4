/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.pml - who wakes an idle server: runtime/sched/idle.c.
 *
 * Property, at every moment when nothing can move but by a task's end:
 *   P1  not (a task is queued, a server is idle, and nobody searches)
 * and when all tasks have ended:
 *   P2  every task that was pushed has run.
 * "Nothing can move": tasks that last long end only then, so P1 is looked at
 * while they still run. A task left queued behind one of them is the lost
 * wake-up: it waits for as long as the other runs, which may be for ever.
 *
 * Stores that are no read-modify-write go through a store buffer for each
 * worker, as on x86: first in, first out, drained at any time, and by every
 * fence, lock and read-modify-write of the same worker. A worker sees its own.
 *
 * What is left out (each of these makes a variant that must be refuted):
 *   NO_FENCE       pushers have no fence between the push and the look
 *   NO_RECHECK     go_idle() does not look a second time
 *   NO_LOOK_OTHER  a server that goes idle while another worker searches
 *                  looks at the global queue alone, even if that one has
 *                  stopped searching since
 *   NO_LOOK_BLOCK  the same for a server whose worker blocks (with BLOCK)
 *   NO_TELL_TAKEN  tasks moved from the global queue to one's own are not
 *                  announced
 * What can be added:
 *   BLOCK          one task also blocks in the kernel
 *   YIELD          one task also yields: it is queued without a look
 * Sizes: PUSHES by tasks, FOREIGN by a thread of the program.
 */
#ifndef PUSHES
#define PUSHES 2
#endif
#ifndef FOREIGN
#define FOREIGN 2
#endif
#ifndef BLOCKS
#define BLOCKS 0
#endif
#ifndef YIELDS
#define YIELDS 0
#endif

#define NS 2		/* servers */
#define NW 4		/* workers, enough that a spare is always found */
#define PUSHER NW	/* the thread of the program has a buffer too */
#define NONE 7

#define SEARCH_NONE 0
#define SEARCH_ACTIVE 1
#define SEARCH_NAPPING 2

/* --- memory ---------------------------------------------------------------- */

byte search = SEARCH_NONE;	/* only stored to by full operations */
byte idle_count = 0;		/* the same */
bool idle[NS];			/* under the idle lock */
byte wsrv[NW] = NONE;		/* given under it, too, then the worker's */
bool wsearching[NW];
bool spare[NW];

byte ring[NS];			/* tail - head, as everybody sees it */
bool next[NS];			/* only exchanged */
bool moved[NS];			/* tick differs from what was noted */
byte gcount = 0;		/* the global queue's, as everybody sees it */
byte glock = 0;			/* 1 + who holds it */
byte gnew;			/* gcount as its lock's holder sees it */

/* --- store buffers --------------------------------------------------------- */

/* A store in a buffer: that the ring's tail went up by val, or that the global
 * queue's count is val and its lock is free. The count's store and the lock's
 * are one here: in between, others could but wait for the lock. */
#define GLOBAL NS
chan buf[NW + 1] = [2] of { byte, byte };

inline apply(k, v)
{
	if
	:: k == GLOBAL -> gcount = v; glock = 0
	:: else -> ring[k] = ring[k] + v
	fi;
	k = 0;
	v = 0
}

/* In an atomic sequence of the caller's. */
inline flush(p)
{
	do
	:: buf[p]?k,v -> apply(k, v)
	:: empty(buf[p]) -> break
	od
}

#define fence(p) atomic { flush(p) }

active proctype memory()
{
	byte k, v;

end:	do
	:: atomic { buf[0]?k,v -> apply(k, v) }
	:: atomic { buf[1]?k,v -> apply(k, v) }
	:: atomic { buf[2]?k,v -> apply(k, v) }
	:: atomic { buf[3]?k,v -> apply(k, v) }
	:: atomic { buf[4]?k,v -> apply(k, v) }
	od
}

#define global_count(p) (glock == p + 1 -> gnew : gcount)

/* --- the tasks' side of the account ----------------------------------------- */

byte pushes = PUSHES, blocks = BLOCKS, yields = YIELDS;
byte pushed, ran, longs;
chan finish = [0] of { bit };

/* --- adding work ------------------------------------------------------------- */

/* start_searcher(). The idle lock's section is one step: of what it writes,
 * only idle_count is read without the lock, and it is written once. */
inline start_searcher(p)
{
	do
	:: atomic {
		flush(p);
		if
		:: search == SEARCH_NONE -> search = SEARCH_ACTIVE
		:: else -> break
		fi
	   }
	   atomic {
		flush(p);
		if
		:: idle_count > 0 ->
			if
			:: idle[0] -> i = 0
			:: idle[1] -> i = 1
			fi;
			idle[i] = false;
			idle_count--;
			w = 0;
			do
			:: w < NW && !spare[w] -> w++
			:: else -> break
			od;
			assert(w < NW); /* NW is too small otherwise */
			spare[w] = false;
			wsearching[w] = true;
			wsrv[w] = i;
			w = 0;
			i = 0;
			break
		:: else
		fi
	   }
	   atomic { flush(p); search = SEARCH_NONE }
	   if
	   :: idle_count > 0
	   :: else -> break
	   fi
	od
}

/* wend__work_added() */
inline work_added(p, more)
{
	if
	:: search == SEARCH_NONE ->
		if
		:: idle_count > 0 -> start_searcher(p)
		:: else
		fi
	:: atomic { search == SEARCH_NAPPING && more ->
		/* Its sleep is cut short; it may end at any time here. */
		flush(p);
		if
		:: search == SEARCH_NAPPING -> search = SEARCH_ACTIVE
		:: else
		fi
	   }
	:: search == SEARCH_ACTIVE || (search == SEARCH_NAPPING && !more)
	fi
}

inline pusher_fence(p)
{
#ifndef NO_FENCE
	fence(p)
#else
	skip
#endif
}

inline global_push(p)
{
	atomic { glock == 0 -> flush(p); glock = p + 1; gnew = gcount }
	atomic { gnew++; buf[p]!GLOBAL,gnew }
}

/* A thread of the program: enqueue(), wend__ready() without a server. */
active proctype pusher()
{
	byte k, v, i, w, n = FOREIGN;

	do
	:: n > 0 ->
		atomic { n--; pushed++ }
		global_push(PUSHER);
		pusher_fence(PUSHER);
		work_added(PUSHER, true)
	:: else -> break
	od
}

/* --- looking for work ----------------------------------------------------------- */

inline take_ring(p, s)
{
	atomic {
		if
		:: ring[s] > 0 || len(buf[p]) > 0 -> /* cas: drains */
			flush(p);
			if
			:: ring[s] > 0 -> ring[s]--; have = true
			:: else
			fi
		:: else
		fi
	}
}

inline take_next(p, s)
{
	atomic {
		if
		:: next[s] -> flush(p); next[s] = false; have = true
		:: else
		fi
	}
}

/* wend__global_take_owner(): its share, one to run, the others into the own
 * ring after the lock's release. */
inline global_take(p, s)
{
	if
	:: global_count(p) == 0
	:: else ->
		n = global_count(p) / NS + 1;
		atomic { glock == 0 -> flush(p); glock = p + 1; gnew = gcount }
		atomic {
			if
			:: n > gnew -> n = gnew
			:: else
			fi;
			gnew = gnew - n;
			buf[p]!GLOBAL,gnew
		}
		if
		:: n > 1 ->
			atomic { buf[p]!s,n - 1; n = 0; have = true }
#ifndef NO_TELL_TAKEN
			if
			:: wsearching[p] /* search_end() tells */
			:: else -> pusher_fence(p); work_added(p, true)
			fi
#endif
		:: n == 1 -> atomic { n = 0; have = true }
		:: else
		fi
	fi
}

/* queues_empty() of each and the global count, one load after the other. */
inline work_anywhere(p)
{
	atomic { found = false; i = 0 }
	if
	:: global_count(p) > 0 -> found = true
	:: else
	fi;
	do
	:: !found && i < NS ->
		if
		:: ring[i] > 0 -> found = true
		:: else ->
			if
			:: next[i] -> found = true
			:: else -> i++
			fi
		fi
	:: else -> break
	od;
	i = 0
}

inline search_end(p)
{
	atomic { flush(p); wsearching[p] = false; search = SEARCH_NONE }
	if
	:: idle_count > 0 ->
		work_anywhere(p);
		if
		:: found -> found = false; start_searcher(p)
		:: else
		fi
	:: else
	fi
}

/* Half of the other's ring; then what stood still in its next slot. */
inline search_round(p, s, still)
{
	atomic {
		if
		:: ring[1 - s] > 0 ->
			flush(p);
			n = ring[1 - s] / 2; /* besides the one to run */
			if
			:: ring[1 - s] & 1
			:: else -> n--
			fi;
			ring[1 - s] = ring[1 - s] - n - 1;
			have = true
		:: else
		fi
	}
	if
	:: n > 0 -> atomic { buf[p]!s,n; n = 0 }
	:: else
	fi;
	if
	:: !have && still && !moved[1 - s] -> take_next(p, 1 - s)
	:: else
	fi;
	if
	:: !have -> global_take(p, s)
	:: else
	fi
}

inline nap(p)
{
	atomic { flush(p); search = SEARCH_NAPPING }
	/* Sleeps some time, or not at all, or is woken. */
	atomic {
		flush(p);
		if
		:: search == SEARCH_NAPPING -> search = SEARCH_ACTIVE
		:: else
		fi
	}
}

/* go_idle(); searched in wsearching[p]. */
inline go_idle(p, s)
{
	atomic { searched = wsearching[p]; wsrv[p] = NONE }
	if
	:: searched ->
		atomic { flush(p); wsearching[p] = false; search = SEARCH_NONE }
	:: else
	fi;
	atomic { flush(p); idle[s] = true; idle_count++ }
#ifndef NO_RECHECK
	if
#ifdef NO_LOOK_OTHER
	:: searched -> work_anywhere(p)
	:: !searched -> found = global_count(p) > 0
#else
	:: searched || search == SEARCH_NONE -> work_anywhere(p)
	:: !searched && search != SEARCH_NONE -> found = global_count(p) > 0
#endif
	fi;
	if
	:: found ->
		atomic {
			flush(p);
			found = false;
			if
			:: idle[s] ->
				idle[s] = false;
				idle_count--;
				wsrv[p] = s
			:: else
			fi
		}
	:: else
	fi;
#endif
	searched = false
}

inline find_elsewhere(p, s)
{
	if
	:: !wsearching[p] ->
		atomic {
			flush(p);
			if
			:: search == SEARCH_NONE ->
				search = SEARCH_ACTIVE;
				wsearching[p] = true
			:: else
			fi
		}
	:: else
	fi;
	if
	:: wsearching[p] ->
		search_round(p, s, false);
		if
		:: !have ->
			moved[1 - s] = false;
			nap(p);
			search_round(p, s, true)
		:: else
		fi
	:: else
	fi;
	if
	:: !have -> go_idle(p, s)
	:: else
	fi
}

/* --- what tasks do ----------------------------------------------------------------- */

inline push_own(p, s)
{
	buf[p]!s,1;
	pusher_fence(p);
	work_added(p, true)
}

/* ready_local() */
inline make_ready(p, s)
{
	atomic { flush(p); found = next[s]; next[s] = true }
	if
	:: !found -> work_added(p, false)
	:: else -> found = false; push_own(p, s)
	fi
}

/* wend__server_release(); the other half is the pusher's global push. */
inline server_release(p, s)
{
	atomic {
		if
		:: buf[p]??[eval(s),_] || ring[s] > 0 || next[s] -> found = true
		:: else
		fi
	}
	wsrv[p] = NONE;
	if
	:: found ->
		atomic {
			flush(p);
			found = false;
			w = 0;
			do
			:: w < NW && !spare[w] -> w++
			:: else -> break
			od;
			assert(w < NW);
			spare[w] = false;
			wsrv[w] = s;
			w = 0
		}
	:: else ->
		atomic { flush(p); idle[s] = true; idle_count++ }
#ifdef NO_LOOK_BLOCK
		found = global_count(p) > 0;
#else
		work_anywhere(p);
#endif
		if
		:: found -> found = false; work_added(p, true)
		:: else
		fi
	fi
}

inline last_long(p)
{
	longs++;
	finish?_
}

inline run_task(p, s)
{
	have = false;
	moved[s] = true;
	do
	:: atomic { pushes > 0 -> pushes--; pushed++ } push_own(p, s)
	:: atomic { pushes > 0 -> pushes--; pushed++ } make_ready(p, s)
	:: break
	:: last_long(p); break
#if BLOCKS
	:: atomic { blocks > 0 -> blocks-- }
		server_release(p, s);
		last_long(p); /* in the kernel */
		break
#endif
#if YIELDS
	:: atomic { yields > 0 -> yields-- }
		take_next(p, s);
		if
		:: !have -> take_ring(p, s)
		:: else
		fi;
		if
		:: have -> have = false; buf[p]!s,1
		:: else
		fi
#endif
	od;
	ran++
}

/* --- a worker ------------------------------------------------------------------------ */

proctype worker(byte p)
{
	byte k, v, i, w, n, s;
	bool have, found, searched;

serve:
	do
	:: wsrv[p] != NONE ->
		s = wsrv[p];
		take_next(p, s);
		if
		:: !have -> take_ring(p, s)
		:: else
		fi;
		if
		:: !have -> global_take(p, s)
		:: else
		fi;
		if
		:: !have -> find_elsewhere(p, s)
		:: else
		fi;
		if
		:: have ->
			if
			:: wsearching[p] -> search_end(p)
			:: else
			fi;
			run_task(p, s)
		:: else
		fi
	:: else -> s = 0; break
	od;
	atomic { flush(p); spare[p] = true }
end:	wsrv[p] != NONE;
	goto serve
}

/* --- the judge ------------------------------------------------------------------------- */

#define QUEUED (ring[0] + ring[1] + next[0] + next[1] + gcount > 0)

active proctype judge()
{
	do
	:: timeout ->
		assert(!(QUEUED && idle_count > 0)); /* P1 */
		if
		:: longs > 0 -> atomic { longs--; finish!0 }
		:: else -> break
		fi
	od;
	assert(ran == pushed) /* P2 */
}

init
{
	atomic {
		/* One task runs or waits to run, both servers are held. */
		wsrv[0] = 0;
		wsrv[1] = 1;
		ring[0] = 1;
		pushed = 1;
		spare[2] = true;
		spare[3] = true;
		run worker(0);
		run worker(1);
		run worker(2);
		run worker(3)
	}
}
