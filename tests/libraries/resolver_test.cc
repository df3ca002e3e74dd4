/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver_test.cc - getaddrinfo() asks a name server that is slow.
 *
 * The C library asks who stands in /etc/resolv.conf, on port 53. So the test
 * runs itself again where both are its own: in a user, a network and a mount
 * namespace, which need no privilege. Where those are forbidden it is skipped.
 */
#include "tests/libraries/jitter.h"
#include "tests/libraries/process.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <string>

namespace
{

constexpr int64_t kDelay = 200 * WEND_MILLISECOND;

/* --- the name server ----------------------------------------------------- */

/*
 * Answers "host-N.test" with the address 10.0.N/256.N%256, but not before as
 * many names as make a crowd are asked for at once, and then 200 ms later: so
 * resolving them one after the other is not slow, but never ends.
 */
class NameServer
{
      public:
	explicit NameServer(size_t crowd);
	~NameServer();

      private:
	struct Question {
		std::string packet;
		struct sockaddr_in from;
	};

	void Serve();
	void Take();
	void Answer(const Question &q, int number);

	size_t crowd_;
	int fd_ = -1;
	std::atomic<bool> stop_{ false };
	std::map<int, Question> waiting_;
	std::thread thread_;
};

constexpr size_t kHeader = 12;
constexpr unsigned kTypeA = 1;

NameServer::NameServer(size_t crowd) : crowd_(crowd)
{
	struct sockaddr_in self = {};

	self.sin_family = AF_INET;
	self.sin_port = htons(53);
	self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	EXPECT_GE(fd_, 0);
	EXPECT_EQ(0, bind(fd_, (struct sockaddr *)&self, sizeof(self)));
	thread_ = std::thread([this] { Serve(); });
}

NameServer::~NameServer()
{
	stop_ = true;
	thread_.join();
	close(fd_);
}

/* The name's first label, and the question's type. */
std::string Label(const std::string &packet)
{
	return packet.substr(kHeader + 1, (unsigned char)packet[kHeader]);
}

unsigned Type(const std::string &packet)
{
	size_t end = packet.find('\0', kHeader);

	return (unsigned)(unsigned char)packet.at(end + 2);
}

/* The question comes back, and behind it the address if there is one. */
void NameServer::Answer(const Question &q, int number)
{
	static const unsigned char record[] = { 0xc0, 0x0c, 0, kTypeA, 0, 1,
						0,    0,    0, 60,     0, 4 };
	size_t end = q.packet.find('\0', kHeader) + 5;
	std::string out = q.packet.substr(0, end);

	out[2] = (char)0x81; /* an answer, recursion wanted ... */
	out[3] = (char)0x80; /* ... and had */
	out[7] = (char)(number >= 0);
	out[9] = out[11] = 0;
	if (number >= 0) {
		out.append((const char *)record, sizeof(record));
		out += { 10, 0, (char)(number / 256), (char)(number % 256) };
	}
	EXPECT_EQ((ssize_t)out.size(),
		  sendto(fd_, out.data(), out.size(), 0,
			 (const struct sockaddr *)&q.from, sizeof(q.from)));
}

void NameServer::Take()
{
	char packet[512];
	Question q = {};
	socklen_t size = sizeof(q.from);
	ssize_t n = recvfrom(fd_, packet, sizeof(packet), 0,
			     (struct sockaddr *)&q.from, &size);
	int number = -1;

	ASSERT_GT(n, (ssize_t)kHeader);
	q.packet.assign(packet, (size_t)n);
	if (Type(q.packet) != kTypeA ||
	    sscanf(Label(q.packet).c_str(), "host-%d", &number) != 1)
		Answer(q, -1);
	else
		waiting_[number] = q;
}

void NameServer::Serve()
{
	int64_t due = WEND_FOREVER;

	while (!stop_) {
		struct pollfd p = { fd_, POLLIN, 0 };

		if (poll(&p, 1, 5) == 1)
			Take();
		if (waiting_.size() < crowd_)
			continue;
		if (due == WEND_FOREVER)
			due = wend_after(kDelay);
		if (wend_now() < due)
			continue;
		for (const auto &q : waiting_)
			Answer(q.second, q.first);
		waiting_.clear();
		due = WEND_FOREVER;
	}
}

/* --- the test ------------------------------------------------------------ */

/* In a child: let another file stand in the place of one of /etc. */
std::string Replace(const std::string &path, const std::string &with)
{
	if (mount(with.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0)
		return "";
	return path + ": " + strerror(errno);
}

std::string UseOurServer(const std::string &directory)
{
	std::string why = libraries::BeAlone();

	if (why.empty())
		why = Replace("/etc/resolv.conf", directory + "/resolv.conf");
	/* Where there is none, the order is this. */
	if (why.empty() && access("/etc/nsswitch.conf", F_OK) == 0)
		why = Replace("/etc/nsswitch.conf",
			      directory + "/nsswitch.conf");
	return why;
}

/* Run the test again where 127.0.0.1 is asked; "", or why it can't be. */
std::string RunWithOurServer()
{
	std::string directory = libraries::MakeDirectory(), why;
	bool passed;

	libraries::MakeFile(directory + "/resolv.conf",
			    "nameserver 127.0.0.1\noptions timeout:30\n");
	libraries::MakeFile(directory + "/nsswitch.conf", "hosts: files dns\n");
	passed = libraries::RunAgain(
		{}, [&] { return UseOurServer(directory); }, &why);
	EXPECT_EQ(why.empty(), passed);
	libraries::Remove(directory);
	return why;
}

/* What the name's address is, as the server makes it; -1: none. */
int Resolve(int number, int family)
{
	std::string name = "host-" + std::to_string(number) + ".test";
	struct addrinfo hints = {}, *found = nullptr;
	int r;

	hints.ai_family = family;
	hints.ai_socktype = SOCK_STREAM;
	r = getaddrinfo(name.c_str(), "80", &hints, &found);
	EXPECT_EQ(0, r) << name << ": " << gai_strerror(r);
	if (r != 0)
		return -1;
	auto *address = (const struct sockaddr_in *)found->ai_addr;
	uint32_t ip = ntohl(address->sin_addr.s_addr);

	EXPECT_EQ(AF_INET, found->ai_family);
	EXPECT_EQ(80, ntohs(address->sin_port));
	EXPECT_EQ(10u << 24, ip & 0xffff0000);
	freeaddrinfo(found);
	return (int)(ip & 0xffff);
}

void ResolveInTasks(int tasks)
{
	libraries::Jitter jitter;
	int next = 0;

	do {
		wt::Group g;

		for (int i = 0; i < tasks; i++, next++)
			g.Go([n = next, i] {
				EXPECT_EQ(n, Resolve(n, i % 2 ? AF_INET :
								AF_UNSPEC));
			});
	} while (!jitter.Enough());
	jitter.Expect();
}

} // namespace

TEST(Resolver, SlowServer)
{
	constexpr int kTasks = 50;
	std::string why;

	WT_NEEDS_THREADS();
	if (!libraries::IsAgain()) {
		why = RunWithOurServer();
		if (!why.empty())
			GTEST_SKIP() << why;
		return;
	}
	NameServer server(kTasks);
	for (int procs : { 1, 2 })
		wt::RunOn(procs, [] { ResolveInTasks(kTasks); });
}
