/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_util.h - what the test cases in runtime/block/calls.tab are made of.
 */
#ifndef TESTS_RUNTIME_CALLS_UTIL_H
#define TESTS_RUNTIME_CALLS_UTIL_H

#include "tests/runtime/block_util.h"

#include <aio.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <resolv.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <time.h>

#include <atomic>
#include <thread>

#include "runtime/block/calls.h"

/* announce.h's, which is C. */
extern "C" void *wend__block_nexts[WEND__CALLS];

namespace blocking
{

/* --- one call ------------------------------------------------------------- */

struct Outcome {
	long result;
	int err; /* if the result is -1 */
};
using Outcomes = std::vector<Outcome>;

inline bool operator==(const Outcome &a, const Outcome &b)
{
	return a.result == b.result && a.err == b.err;
}

inline std::ostream &operator<<(std::ostream &s, const Outcome &o)
{
	return s << o.result << " (errno " << o.err << ")";
}

template <typename F> Outcome Observe(F call)
{
	errno = 0;
	long r = call();
	return { r, r == -1 ? errno : 0 };
}

struct Case {
	virtual ~Case() = default;
	virtual bool Missing()
	{
		return false;
	}
	virtual void Before() {}
	virtual void Enter() {}
	virtual long Call() = 0;
	virtual void After() {}
	virtual void Unblock() {}
	virtual Outcomes Fails()
	{
		return {};
	}
};

struct Entry {
	const char *name;
	std::vector<const char *> names; /* all, aliases too */
	wend__call index;
	const char *never; /* why it cannot be made to wait, or null */
	bool again;	   /* Unblock() is repeated until the call returns */
	bool made;	   /* of other calls */
	std::unique_ptr<Case> (*make)();
};

/* --- times ---------------------------------------------------------------- */

constexpr struct timespec kShort = { 0, 100000 };
constexpr struct timespec kPast = { 1, 0 };
constexpr struct timespec kBad = { 0, -1 };

/* An hour from now. */
inline struct timespec Far(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += 3600;
	return t;
}

/* Sleep again and again; the first result that is not 0. */
template <typename F> long Until(const std::atomic<bool> &over, F sleep)
{
	long r = 0;

	while (!over && r == 0)
		r = sleep();
	return r;
}

/* As one waits for a condition. */
#define While(condition, wait)                                                 \
	[&] {                                                                  \
		long r_ = 0;                                                   \
                                                                               \
		while ((condition) && r_ == 0)                                 \
			r_ = (wait);                                           \
		return r_;                                                     \
	}()

/* --- descriptors ---------------------------------------------------------- */

class Descriptor
{
      public:
	explicit Descriptor(int fd)
	    : fd_(fd)
	{
		EXPECT_GE(fd, 0) << strerror(errno);
	}
	~Descriptor()
	{
		if (fd_ >= 0)
			close(fd_);
	}
	Descriptor(const Descriptor &) = delete;
	operator int() const
	{
		return fd_;
	}
	int Take()
	{
		int fd = fd_;

		fd_ = -1;
		return fd;
	}

      private:
	int fd_;
};

/* Write until nothing more fits, and read until nothing is left. */
inline void Fill(int fd)
{
	static const char bytes[4096] = {};
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	while (write(fd, bytes, 1) > 0)
		;
	fcntl(fd, F_SETFL, flags);
}

inline void Drain(int fd)
{
	char bytes[4096];
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	fcntl(fd, F_SETFL, flags);
}

inline struct msghdr Message(struct iovec *v)
{
	struct msghdr m = {};

	m.msg_iov = v;
	m.msg_iovlen = 1;
	return m;
}

inline fd_set One(int fd)
{
	fd_set s;

	FD_ZERO(&s);
	FD_SET(fd, &s);
	return s;
}

class Epoll : public Descriptor
{
      public:
	explicit Epoll(int fd)
	    : Descriptor(epoll_create1(EPOLL_CLOEXEC))
	{
		struct epoll_event e = {};

		e.events = EPOLLIN;
		EXPECT_EQ(0, epoll_ctl(*this, EPOLL_CTL_ADD, fd, &e));
	}
};

/* A Unix socket that listens, with room for one that was not accepted. */
class Listener : public Descriptor
{
      public:
	Listener()
	    : Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
	{
		size_ = sizeof(addr_);
		addr_.sun_family = AF_UNIX; /* and the kernel finds a name */
		EXPECT_EQ(0, bind(*this, addr(), sizeof(sa_family_t)));
		EXPECT_EQ(0, getsockname(*this, addr(), &size_));
		EXPECT_EQ(0, listen(*this, 0));
	}
	~Listener()
	{
		if (client_ >= 0)
			close(client_);
	}
	struct sockaddr *addr()
	{
		return reinterpret_cast<struct sockaddr *>(&addr_);
	}
	socklen_t size() const
	{
		return size_;
	}
	void Connect()
	{
		client_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		EXPECT_EQ(0, connect(client_, addr(), size_));
	}

      private:
	struct sockaddr_un addr_ = {};
	socklen_t size_;
	int client_ = -1;
};

/* Two ends of a TCP connection over loopback. */
class TcpPair : public Ends
{
      public:
	TcpPair()
	{
		Descriptor l(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
		struct sockaddr_in a = {};
		auto *addr = reinterpret_cast<struct sockaddr *>(&a);
		socklen_t size = sizeof(a);

		a.sin_family = AF_INET;
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		EXPECT_EQ(0, bind(l, addr, size));
		EXPECT_EQ(0, listen(l, 1));
		EXPECT_EQ(0, getsockname(l, addr, &size));
		fd_[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		EXPECT_EQ(0, connect(fd_[0], addr, size));
		fd_[1] = accept(l, nullptr, nullptr);
	}
	int CloseFirst()
	{
		int fd = fd_[0];

		fd_[0] = -1;
		return close(fd);
	}
};

/* close() waits until what was sent has been taken, up to an hour. */
inline void Linger(int fd)
{
	struct linger l = { 1, 3600 };

	EXPECT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
}

/* --- files ---------------------------------------------------------------- */

inline std::string TempPath()
{
	static std::atomic<int> n{ 0 };
	const char *dir = getenv("TEST_TMPDIR");

	return std::string(dir ? dir : "/tmp") + "/wend-calls-" +
	       std::to_string(getpid()) + "-" + std::to_string(n++);
}

/* A file of some bytes, open. */
class TempFile
{
      public:
	TempFile()
	    : path_(TempPath()),
	      fd_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600))
	{
		EXPECT_EQ(6, ::write(fd_, "abcdef", 6));
		EXPECT_EQ(0, lseek(fd_, 0, SEEK_SET));
	}
	~TempFile()
	{
		unlink(path());
	}
	int fd() const
	{
		return fd_;
	}
	const char *path() const
	{
		return path_.c_str();
	}

      private:
	std::string path_;
	Descriptor fd_;
};

class File
{
      public:
	~File()
	{
		fclose(file_);
	}
	operator FILE *() const
	{
		return file_;
	}

      private:
	FILE *file_ = fopen("/dev/null", "re");
};

class Fifo
{
      public:
	Fifo()
	    : path_(TempPath())
	{
		EXPECT_EQ(0, mkfifo(path(), 0600));
	}
	~Fifo()
	{
		unlink(path());
	}
	const char *path() const
	{
		return path_.c_str();
	}

      private:
	std::string path_;
};

inline struct flock WholeFile()
{
	struct flock l = {};

	l.l_type = F_WRLCK;
	l.l_whence = SEEK_SET;
	return l;
}

/* --- children ------------------------------------------------------------- */

/* A process that ends when told to. */
class Child
{
      public:
	Child()
	{
		char name[] = "cat";
		char *argv[] = { name, nullptr };
		posix_spawn_file_actions_t actions;

		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_adddup2(&actions, pipe_[0], 0);
		EXPECT_EQ(0, posix_spawnp(&pid_, "cat", &actions, nullptr, argv,
					  environ));
		posix_spawn_file_actions_destroy(&actions);
		pipe_.Close(0);
	}
	~Child()
	{
		End();
		waitpid(pid_, nullptr, 0); /* if the case has not */
	}
	pid_t pid() const
	{
		return pid_;
	}
	void End()
	{
		pipe_.Close(1);
	}

      private:
	Pipe pipe_{ O_CLOEXEC };
	pid_t pid_ = -1;
};

/* POSIX locks are a process's; another one must hold this. */
class LockingChild
{
      public:
	~LockingChild()
	{
		if (pid_ > 0)
			End();
	}
	void Lock(int fd)
	{
		struct flock all = WholeFile();
		Pipe locked;
		char b = 0;

		pid_ = fork();
		ASSERT_GE(pid_, 0);
		if (pid_ == 0) {
			end_.Close(1);
			b = fcntl(fd, F_SETLK, &all) == 0 ? 'y' : 'n';
			(void)!write(locked[1], &b, 1);
			(void)!read(end_[0], &b, 1);
			_exit(0);
		}
		EXPECT_EQ(1, read(locked[0], &b, 1));
		EXPECT_EQ('y', b);
	}
	void End()
	{
		end_.Close(1);
		EXPECT_EQ(pid_, waitpid(pid_, nullptr, 0));
		pid_ = -1;
	}

      private:
	Pipe end_;
	pid_t pid_ = -1;
};

/* --- threads -------------------------------------------------------------- */

/* A thread of the program that does one thing at once, and another when it is
 * told to. */
class Holder
{
      public:
	Holder(std::function<void()> take, std::function<void()> give)
	    : thread_([=] {
		    char b;

		    take();
		    (void)!write(taken_[1], "t", 1);
		    (void)!read(release_[0], &b, 1);
		    give();
	    })
	{
		char b;

		EXPECT_EQ(1, read(taken_[0], &b, 1));
	}
	~Holder()
	{
		Release();
	}
	void Release()
	{
		release_.Close(1);
		if (thread_.joinable())
			thread_.join();
	}

      private:
	Pipe taken_, release_;
	std::thread thread_;
};

class RwLock
{
      public:
	operator pthread_rwlock_t *()
	{
		return &lock_;
	}
	Holder Read()
	{
		return Hold(pthread_rwlock_rdlock);
	}
	Holder Write()
	{
		return Hold(pthread_rwlock_wrlock);
	}

      private:
	Holder Hold(int (*take)(pthread_rwlock_t *))
	{
		return { [=] { take(&lock_); },
			 [=] { pthread_rwlock_unlock(&lock_); } };
	}
	pthread_rwlock_t lock_ = PTHREAD_RWLOCK_INITIALIZER;
};

class Semaphore
{
      public:
	Semaphore()
	{
		EXPECT_EQ(0, sem_init(&sem_, 0, 0));
	}
	operator sem_t *()
	{
		return &sem_;
	}

      private:
	sem_t sem_;
};

/* The two that meet there get different results; which is which is chance. */
class Barrier
{
      public:
	Barrier()
	{
		EXPECT_EQ(0, pthread_barrier_init(&barrier_, nullptr, 2));
	}
	operator pthread_barrier_t *()
	{
		return &barrier_;
	}
	long Sum(int result)
	{
		EXPECT_TRUE(result == 0 ||
			    result == PTHREAD_BARRIER_SERIAL_THREAD);
		return 0;
	}

      private:
	pthread_barrier_t barrier_;
};

/* A thread that ends when told to; whoever did so joins it. */
class Thread
{
      public:
	Thread()
	{
		EXPECT_EQ(0, pthread_create(&id_, nullptr, Main, this));
	}
	~Thread()
	{
		if (!ended_) {
			End();
			pthread_join(id_, nullptr);
		}
	}
	pthread_t id() const
	{
		return id_;
	}
	void End()
	{
		ended_ = true;
		end_.Close(1);
	}

      private:
	static void *Main(void *arg)
	{
		char b;

		(void)!read(static_cast<Thread *>(arg)->end_[0], &b, 1);
		return nullptr;
	}
	Pipe end_;
	bool ended_ = false;
	pthread_t id_;
};

/* --- queues --------------------------------------------------------------- */

/* A message queue that holds two; negative where the kernel has none. */
class Queue
{
      public:
	Queue()
	{
		struct mq_attr attr = {};
		std::string name = "/wend-" + std::to_string(getpid());

		attr.mq_maxmsg = 2;
		attr.mq_msgsize = 16;
		queue_ = mq_open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC,
				 0600, &attr);
		if (queue_ >= 0)
			mq_unlink(name.c_str());
	}
	~Queue()
	{
		if (queue_ >= 0)
			mq_close(queue_);
	}
	operator mqd_t() const
	{
		return queue_;
	}
	void Fill()
	{
		for (int i = 0; i < 2; i++)
			EXPECT_EQ(0, mq_send(queue_, "x", 1, 0));
	}

      private:
	mqd_t queue_;
};

struct SystemV {
	int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	int set = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);

	~SystemV()
	{
		if (queue >= 0)
			msgctl(queue, IPC_RMID, nullptr);
		if (set >= 0)
			semctl(set, 0, IPC_RMID);
	}
	void Fill()
	{
		long m[2] = { 1, 2 };

		while (msgsnd(queue, m, 8, IPC_NOWAIT) == 0)
			;
		EXPECT_EQ(EAGAIN, errno);
	}
};

/* --- signals -------------------------------------------------------------- */

/* SIGUSR1, sent to the kernel thread that calls. */
class Signal
{
      public:
	Signal()
	{
		struct sigaction a = {};

		a.sa_handler = [](int) {};
		sigemptyset(&set_);
		sigaddset(&set_, SIGUSR1);
		EXPECT_EQ(0, sigaction(SIGUSR1, &a, &old_));
	}
	~Signal()
	{
		sigaction(SIGUSR1, &old_, nullptr);
	}
	const sigset_t *set() const
	{
		return &set_;
	}
	const sigset_t *before() const
	{
		return &before_;
	}
	void Block()
	{
		pthread_sigmask(SIG_BLOCK, &set_, &before_);
		Arm();
	}
	void Unblock()
	{
		Disarm();
		pthread_sigmask(SIG_SETMASK, &before_, nullptr);
	}
	/* From here to Disarm() signals are sent. */
	void Arm()
	{
		std::lock_guard<std::mutex> l(lock_);

		caller_ = pthread_self();
		armed_ = true;
	}
	void Disarm()
	{
		std::lock_guard<std::mutex> l(lock_);

		armed_ = false;
	}
	void Send()
	{
		std::lock_guard<std::mutex> l(lock_);

		if (armed_)
			pthread_kill(caller_, SIGUSR1);
	}

      private:
	sigset_t set_, before_;
	struct sigaction old_;
	std::mutex lock_;
	pthread_t caller_;
	bool armed_ = false;
};

/* --- names ---------------------------------------------------------------- */

/* An address that no name belongs to (TEST-NET-1). */
inline struct sockaddr_in Test()
{
	struct sockaddr_in a = {};

	a.sin_family = AF_INET;
	inet_pton(AF_INET, "192.0.2.1", &a.sin_addr);
	return a;
}

/* A name server, which knows no names and answers when told to. */
class Dns
{
      public:
	Dns()
	    : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))
	{
		socklen_t size = sizeof(addr_);
		auto *addr = reinterpret_cast<struct sockaddr *>(&addr_);

		addr_.sin_family = AF_INET;
		addr_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		EXPECT_EQ(0, bind(fd_, addr, size));
		EXPECT_EQ(0, getsockname(fd_, addr, &size));
	}
	/* The calling kernel thread asks this server. */
	void Use()
	{
		res_init();
		_res.nscount = 1;
		_res.nsaddr_list[0] = addr_;
		_res.retrans = 600;
		_res.retry = 1;
	}
	void Restore()
	{
		res_nclose(&_res);
		res_init();
	}
	/* "No such name" to everyone who has asked. */
	void Answer()
	{
		unsigned char b[512];
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		auto *addr = reinterpret_cast<struct sockaddr *>(&from);
		ssize_t n;

		while ((n = recvfrom(fd_, b, sizeof(b), MSG_DONTWAIT, addr,
				     &size)) > 0) {
			b[2] |= 0x80;		    /* an answer */
			b[3] = 0x80 | 3; /* NXDOMAIN */
			sendto(fd_, b, (size_t)n, 0, addr, size);
		}
	}
	/* Whether this machine asks name servers about hosts at all. */
	bool Works()
	{
		struct pollfd p = { fd_, POLLIN, 0 };
		std::atomic<bool> done{ false };
		bool asked = false;
		std::thread t([&] {
			Use();
			gethostbyname("wend.invalid.");
			Restore();
			done = true;
		});

		while (!done) {
			asked |= poll(&p, 1, 1) > 0;
			Answer();
		}
		t.join();
		return asked;
	}
	/* A query, for calls that take one made. */
	int Query(unsigned char *b, int size)
	{
		return res_mkquery(0, "wend.invalid", 1, 1, nullptr, 0, nullptr,
				   b, size);
	}

      private:
	Descriptor fd_;
	struct sockaddr_in addr_ = {};
};

} // namespace blocking

#endif
