/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_test.cc - TLS with a peer that no one here wrote: the openssl command as
 * client and as server, in each version.
 */
#include "tests/stdlib/net/net_util.h"
#include "tests/stdlib/net/tls/certs.h"

#include <sys/wait.h>
#include <wend/std/tls.h>

using namespace net;

namespace
{

/* A program with its standard input and output at hand. */
class Program
{
      public:
	explicit Program(std::vector<std::string> words)
	{
		int in[2], out[2];

		EXPECT_EQ(0, pipe2(in, O_CLOEXEC));
		EXPECT_EQ(0, pipe2(out, O_CLOEXEC));
		std::vector<char *> argv;

		for (std::string &w : words)
			argv.push_back(w.data());
		argv.push_back(nullptr);
		pid_ = vfork();
		if (pid_ == 0) {
			dup2(in[0], 0);
			dup2(out[1], 1);
			dup2(out[1], 2);
			execvp(argv[0], argv.data());
			_exit(127);
		}
		close(in[0]);
		close(out[1]);
		to_ = in[1];
		from_ = out[0];
	}
	~Program()
	{
		CloseInput();
		kill(pid_, SIGKILL);
		int status;

		EXPECT_EQ(pid_, waitpid(pid_, &status, 0));
		close(from_);
	}
	void Say(const std::string &text)
	{
		EXPECT_EQ((ssize_t)text.size(),
			  write(to_, text.data(), text.size()));
	}
	void CloseInput()
	{
		if (to_ >= 0)
			close(to_);
		to_ = -1;
	}
	/* Read on until text has come; what came. */
	std::string Until(const std::string &text)
	{
		while (all_.find(text) == std::string::npos) {
			char buf[4096];
			ssize_t n = read(from_, buf, sizeof(buf));

			if (n <= 0) {
				ADD_FAILURE()
					<< "no '" << text << "' in: " << all_;
				break;
			}
			all_.append(buf, (size_t)n);
		}
		return all_;
	}

      private:
	pid_t pid_;
	int to_, from_;
	std::string all_;
};

std::string File(const std::string &text)
{
	std::string path = testing::TempDir() + "peerXXXXXX";
	int fd = mkstemp(path.data());

	EXPECT_EQ((ssize_t)text.size(), write(fd, text.data(), text.size()));
	close(fd);
	return path;
}

class NetTlsPeer : public testing::TestWithParam<const char *>
{
      protected:
	void SetUp() override
	{
		WT_NEEDS_THREADS();
		if (system("openssl version >/dev/null 2>&1") != 0)
			GTEST_SKIP() << "no openssl command";
	}
	Authority ca_;
};

INSTANTIATE_TEST_SUITE_P(Versions, NetTlsPeer,
			 testing::Values("-tls1_2", "-tls1_3"),
			 [](const auto &info) {
				 return std::string(info.param + 1);
			 });

} // namespace

TEST_P(NetTlsPeer, AsClient)
{
	Identity id = ca_.Make("DNS:test.example");
	std::string ca = File(ca_.Cert());

	wt::RunOn(2, [&] {
		wend_tls_config *config;
		wend_tls_opts opts = {};
		wend_conn *under, *c;
		Listener l;
		char b[64] = "";

		opts.cert = id.cert.c_str();
		opts.key = id.key.c_str();
		opts.alpn = "echo";
		ASSERT_EQ(0, wend_tls_config_server(&config, &opts));
		Program p({ "openssl", "s_client", "-connect", l.Address(),
			    GetParam(), "-CAfile", ca, "-verify_return_error",
			    "-verify_hostname", "test.example", "-alpn", "echo",
			    "-servername", "test.example", "-quiet",
			    "-no_ign_eof" });

		ASSERT_EQ(0, wend_net_accept_until(
				     l, &under, wend_after(60 * WEND_SECOND)));
		ASSERT_EQ(0, wend_tls_server(&c, config, under));
		wend_conn_set_deadline(c, wend_after(60 * WEND_SECOND));
		ASSERT_EQ(0, wend_tls_handshake(c, wend_after(60 * WEND_SECOND)))
			<< wend_tls_error(c);
		EXPECT_STREQ("echo", wend_tls_alpn(c));
		EXPECT_STREQ(strcmp(GetParam(), "-tls1_3") ? "TLSv1.2" :
							     "TLSv1.3",
			     wend_tls_version_name(c));
		p.Say("hello\n");
		ASSERT_EQ(6, wend_conn_read(c, b, sizeof(b)));
		EXPECT_STREQ("hello\n", b);
		EXPECT_EQ(6, wend_conn_write(c, "world\n", 6));
		p.Until("world\n");
		/* It says the end when its input ends. */
		p.CloseInput();
		EXPECT_EQ(0, wend_conn_read(c, b, sizeof(b)));
		wend_conn_free(c);
		wend_tls_config_free(config);
	});
	unlink(ca.c_str());
}

TEST_P(NetTlsPeer, AsServer)
{
	Identity id = ca_.Make("DNS:localhost,IP:127.0.0.1");
	std::string cert = File(id.cert), key = File(id.key);

	wt::RunOn(2, [&] {
		wend_tls_config *config;
		wend_tls_opts opts = {};
		wend_conn *c;
		char b[64] = "";

		opts.ca = ca_.Cert().c_str();
		ASSERT_EQ(0, wend_tls_config_client(&config, &opts));
		Program p({ "openssl", "s_server", "-accept", "127.0.0.1:0",
			    GetParam(), "-cert", cert, "-key", key });
		std::string all = p.Until("ACCEPT 127.0.0.1:");
		size_t at = all.find("ACCEPT ") + 7;

		/* The line's end may come later. */
		while (all.find('\n', at) == std::string::npos)
			all = p.Until("\n");
		std::string address = all.substr(at, all.find('\n', at) - at);

		ASSERT_EQ(0,
			  wend_tls_dial(&c, config, address.c_str(),
					wend_after(60 * WEND_SECOND), nullptr))
			<< address;
		wend_conn_set_deadline(c, wend_after(60 * WEND_SECOND));
		EXPECT_EQ(6, wend_conn_write(c, "hello\n", 6));
		p.Until("hello\n");
		p.Say("world\n");
		ASSERT_EQ(6, wend_conn_read(c, b, sizeof(b)));
		EXPECT_STREQ("world\n", b);
		/* New keys in the middle (TLS 1.3), and on it goes. */
		if (strcmp(GetParam(), "-tls1_3") == 0) {
			p.Say("K\n");
			wend_sleep(10 * WEND_MILLISECOND);
			p.Say("again\n");
			ASSERT_EQ(6, wend_conn_read(c, b, sizeof(b)));
			EXPECT_STREQ("again\n", b);
			EXPECT_EQ(5, wend_conn_write(c, "more\n", 5));
			p.Until("more\n");
		}
		/* Q: this program hangs up without a word. */
		p.Say("Q\n");
		EXPECT_EQ(-ECONNRESET, wend_conn_read(c, b, sizeof(b)));
		wend_conn_free(c);
		wend_tls_config_free(config);
	});
	unlink(cert.c_str());
	unlink(key.c_str());
}
