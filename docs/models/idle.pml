/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.pml - who wakes an idle server: runtime/sched/search.c,
 * idle.c, release.c.
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
 *   NO_LOOK_BLOCK  the same for a server whose worker blocks (with BLOCKS)
 *   NO_TELL_TAKEN  tasks moved from the global queue to one's own are not
 *                  announced
 *   NO_TELL_YIELD  a task that yields is queued without a look (with YIELDS)
 * To be accepted:
 *   ASYMMETRIC     pushers have no fence, and those who go idle or end a
 *                  search have a heavy one
 * How often, altogether: PUSHES by tasks, FOREIGN by a thread of the program,
 * BLOCKS in the kernel, YIELDS.
 */
#ifndef PUSHES
#define PUSHES 1
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
#ifndef START
#define START 1		/* tasks that are there at the beginning; 1 or 2 */
#endif

#define NS 2		/* servers */
#ifndef NW
#define NW (2 + BLOCKS)	/* workers */
#endif
#define PUSHER NW	/* the thread of the program has a buffer too */
#define NONE 7

#define SEARCH_NONE 0
#define SEARCH_ACTIVE 1
#define SEARCH_NAPPING 2

/* --- memory --------------------------------------------------------------- */

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

/* --- store buffers -------------------------------------------------------- */

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

/* After what says that one idles, or searches no more, and before the look. The
 * store is a read-modify-write, so nothing is left to do, unless pushers have
 * no fence of their own. */
inline fence_heavy(p)
{
#ifdef ASYMMETRIC
	flush(0);
	flush(1);
#if NW > 2
	flush(2);
#endif
	flush(PUSHER)
#else
	skip
#endif
}

active proctype memory()
{
	byte k, v;

end:	do
	:: atomic { buf[0]?k,v -> apply(k, v) }
	:: atomic { buf[1]?k,v -> apply(k, v) }
	:: atomic { buf[2]?k,v -> apply(k, v) }
#if NW > 2
	:: atomic { buf[3]?k,v -> apply(k, v) }
#endif
#if NW > 3
	:: atomic { buf[4]?k,v -> apply(k, v) }
#endif
	od
}

#define global_count(p) (glock == p + 1 -> gnew : gcount)

/* --- the tasks' side of the account --------------------------------------- */

byte pushes = PUSHES, blocks = BLOCKS, yields = YIELDS;
byte pushed = START, ran, longs;
chan finish = [0] of { bit };

/* --- adding work ---------------------------------------------------------- */

/*
 * In an atomic sequence: run server s by a spare worker. A new thread, if there
 * is no spare, is a worker on its way to be one; starting it takes until then.
 */
inline take_spare(s, search_too)
{
	w = 0;
	do
	:: !spare[w] && w + 1 < NW -> w++
	:: else -> break
	od;
	spare[w];
	spare[w] = false;
	wsearching[w] = search_too;
	wsrv[w] = s;
	w = 0
}

#if NW == 2
#define SPARES (spare[0] || spare[1])
#else
#define SPARES (spare[0] || spare[1] || spare[2])
#endif

inline idle_push(s)
{
	idle[s] = true;
	idle_count++
}

inline idle_remove(s)
{
	idle[s] = false;
	idle_count--
}

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
		SPARES || idle_count == 0;
		if
		:: idle_count == 0
		:: idle[0] -> idle_remove(0); take_spare(0, true); break
		:: idle[1] -> idle_remove(1); take_spare(1, true); break
		fi
	   }
	   search = SEARCH_NONE;
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
	:: more && search == SEARCH_NAPPING ->
		/* A sleep here may end at any time, so nobody is woken. */
		atomic {
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
#if !defined(NO_FENCE) && !defined(ASYMMETRIC)
	atomic { flush(p) }
#else
	skip
#endif
}

/* A thread of the program: enqueue(), wend__ready() without a server. */
active proctype pusher()
{
	byte k, v, w, n = FOREIGN;

	do
	:: atomic { n > 0 && glock == 0 ->
		glock = PUSHER + 1;
		gnew = gcount + 1;
		n--;
		pushed++;
		buf[PUSHER]!GLOBAL,gnew
	   }
	   pusher_fence(PUSHER);
	   work_added(PUSHER, true)
	:: n == 0 -> break
	od
}

/* --- looking for work ----------------------------------------------------- */

/* The owner's next slot, then its ring. One step: thieves may come between,
 * but nobody else adds to them. */
inline take_own(p, s)
{
	atomic {
		if
		:: next[s] -> flush(p); next[s] = false; have = true
		:: !next[s] && (ring[s] > 0 || len(buf[p]) > 0) ->
			flush(p); /* the exchange */
			if
			:: ring[s] > 0 -> ring[s]--; have = true
			:: else
			fi
		:: else
		fi
	}
}

/* wend__global_take_owner(): its share, one to run, the others into the own
 * ring after the lock's release. */
inline global_take(p, s)
{
	if
	:: atomic { global_count(p) > 0 -> n = global_count(p) / NS + 1 }
		atomic { glock == 0 ->
			flush(p);
			if
			:: n > gcount -> n = gcount
			:: else
			fi;
			have = n > 0;
			if
			:: have ->
				glock = p + 1;
				gnew = gcount - n;
				n--;
				buf[p]!GLOBAL,gnew
			:: else
			fi
		}
		if
		:: atomic { n > 0 -> buf[p]!s,n; n = 0 }
#ifndef NO_TELL_TAKEN
			if
			:: wsearching[p] /* search_end() tells */
			:: !wsearching[p] ->
				pusher_fence(p);
				work_added(p, true)
			fi
#endif
		:: n == 0
		fi
	:: else
	fi
}

/* queues_empty() of each and the global count, one load after the other. */
inline work_anywhere(p)
{
	i = 0;
	if
	:: global_count(p) > 0 -> found = true
	:: else ->
		do
		:: atomic { ring[i] > 0 -> found = true; break }
		:: atomic { ring[i] == 0 ->
			skip
		   }
		   if
		   :: atomic { next[i] -> found = true; break }
		   :: atomic { !next[i] && i == 0 -> i = 1 }
		   :: !next[i] && i == 1 -> break
		   fi
		od
	fi
}

inline search_end(p)
{
	atomic {
		flush(p);
		wsearching[p] = false;
		search = SEARCH_NONE;
		fence_heavy(p)
	}
	if
	:: idle_count > 0 ->
		work_anywhere(p);
		if
		:: atomic { found -> found = false; i = 0 }
			start_searcher(p)
		:: atomic { !found -> i = 0 }
		fi
	:: else
	fi
}

/* Half of the other's ring; then what stood still in its next slot. */
inline search_round(p, s, still)
{
	atomic {
		other = 1 - s;
		if
		:: ring[other] > 0 ->
			flush(p);
			n = (ring[other] - 1) / 2; /* besides one to run */
			ring[other] = ring[other] - n - 1;
			have = true
		:: else
		fi;
		other = 0
	}
	if
	:: atomic { n > 0 -> buf[p]!s,n; n = 0 }
	:: atomic { !have && still && next[1 - s] && !moved[1 - s] ->
		flush(p);
		next[1 - s] = false;
		have = true
	   }
	:: else
	fi;
	if
	:: !have -> global_take(p, s)
	:: have
	fi
}

inline nap(p, s)
{
	atomic { flush(p); moved[1 - s] = false; search = SEARCH_NAPPING }
	/* Sleeps some time, or not at all, or is woken. */
	atomic {
		if
		:: search == SEARCH_NAPPING -> search = SEARCH_ACTIVE
		:: else
		fi
	}
}

/* go_idle(); searched in wsearching[p]. */
inline go_idle(p, s)
{
	if
	:: atomic { wsearching[p] ->
		flush(p);
		wsrv[p] = NONE;
		searched = true;
		wsearching[p] = false;
		search = SEARCH_NONE
	   }
	:: atomic { !wsearching[p] -> wsrv[p] = NONE }
	fi;
	atomic { flush(p); idle_push(s); fence_heavy(p) }
#ifndef NO_RECHECK
	if
#ifdef NO_LOOK_OTHER
	:: searched -> work_anywhere(p)
	:: !searched -> found = global_count(p) > 0
#else
	:: search == SEARCH_NONE -> work_anywhere(p)
	:: search != SEARCH_NONE -> found = global_count(p) > 0
#endif
	fi;
	atomic {
		if
		:: found && idle[s] -> flush(p); idle_remove(s); wsrv[p] = s
		:: else
		fi;
		found = false;
		searched = false;
		i = 0
	}
#else
	searched = false
#endif
}

inline find_elsewhere(p, s)
{
	atomic {
		if
		:: !wsearching[p] ->
			flush(p);
			if
			:: search == SEARCH_NONE ->
				search = SEARCH_ACTIVE;
				wsearching[p] = true
			:: else
			fi
		:: else
		fi
	}
	if
	:: wsearching[p] ->
		search_round(p, s, false);
		if
		:: !have ->
			nap(p, s);
			search_round(p, s, true)
		:: have
		fi
	:: else
	fi;
	if
	:: !have -> go_idle(p, s)
	:: have
	fi
}

/* --- what tasks do -------------------------------------------------------- */

/* enqueue() */
inline push_own(p, s)
{
	pusher_fence(p);
	work_added(p, true)
}

/* wend__server_release(); for the way back see the pusher's global push. */
inline server_release(p, s)
{
	atomic {
		if
		:: len(buf[p]) > 0 || ring[s] > 0 || next[s] -> found = true
		:: else
		fi;
		wsrv[p] = NONE
	}
	if
	:: atomic { found && SPARES ->
		flush(p);
		found = false;
		take_spare(s, false)
	   }
	:: atomic { !found -> flush(p); idle_push(s); fence_heavy(p) }
#ifdef NO_LOOK_BLOCK
		found = global_count(p) > 0;
#else
		if
		:: search == SEARCH_NONE -> work_anywhere(p)
		:: else -> found = global_count(p) > 0
		fi;
#endif
		if
		:: atomic { found -> found = false; i = 0 } work_added(p, true)
		:: atomic { !found -> i = 0 }
		fi
	fi
}

#define UNTIL_END atomic { longs++; finish?_ }

inline run_task(p, s)
{
	atomic { have = false; moved[s] = true }
	do
	:: atomic { pushes > 0 -> pushes--; pushed++; buf[p]!s,1 }
		push_own(p, s)
	/* ready_local() */
	:: atomic { pushes > 0 && !next[s] ->
		flush(p);
		pushes--;
		pushed++;
		next[s] = true
	   }
	   work_added(p, false)
	:: atomic { pushes > 0 && next[s] ->
		flush(p);
		pushes--;
		pushed++;
		buf[p]!s,1
	   }
	   push_own(p, s)
	:: break
	:: UNTIL_END; break
#if BLOCKS
	:: atomic { blocks > 0 -> blocks-- }
		server_release(p, s);
		UNTIL_END; /* in the kernel */
		break
#endif
#if YIELDS
	:: atomic { yields > 0 -> yields-- }
		take_own(p, s);
		if
		:: atomic { have -> have = false; buf[p]!s,1 }
#ifndef NO_TELL_YIELD
			push_own(p, s)
#endif
		:: !have
		fi
#endif
	od;
	ran++
}

/* --- a worker ------------------------------------------------------------- */

proctype worker(byte p)
{
	byte k, v, i, w, n, s, other;
	bool have, found, searched;

serve:
	do
	:: atomic { wsrv[p] != NONE -> s = wsrv[p] }
		take_own(p, s);
		if
		:: !have -> global_take(p, s)
		:: have
		fi;
		if
		:: !have -> find_elsewhere(p, s)
		:: have
		fi;
		if
		:: have ->
			if
			:: wsearching[p] -> search_end(p)
			:: !wsearching[p]
			fi;
			run_task(p, s)
		:: !have
		fi
	:: atomic { wsrv[p] == NONE -> flush(p); s = 0; spare[p] = true }
		break
	od;
end:	wsrv[p] != NONE;
	goto serve
}

/* --- the judge ------------------------------------------------------------ */

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
		/* Both servers are held; one has a task, or both have. */
		wsrv[0] = 0;
		wsrv[1] = 1;
		ring[0] = 1;
		ring[1] = START - 1;
#if NW > 2
		spare[2] = true;
		run worker(2);
#endif
		run worker(0);
		run worker(1)
	}
}
