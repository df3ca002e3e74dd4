/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openssl_test.cc - TLS servers and clients in one process, a task each, over
 * blocking BIOs, with a certificate made here.
 */
#include "tests/libraries/jitter.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <string>

namespace
{

constexpr int kPairs = 10;
constexpr size_t kBytes = 200000;

/* What OpenSSL complained of in this thread. */
std::string Errors()
{
	char text[256] = "no error";

	while (unsigned long e = ERR_get_error())
		ERR_error_string_n(e, text, sizeof(text));
	return text;
}

/* A key, and a certificate that it signs itself. */
class Identity
{
      public:
	Identity() : key_(EVP_EC_gen("P-256")), cert_(X509_new())
	{
		X509_NAME *name = X509_get_subject_name(cert_);

		X509_set_version(cert_, X509_VERSION_3);
		ASN1_INTEGER_set(X509_get_serialNumber(cert_), 1);
		X509_gmtime_adj(X509_getm_notBefore(cert_), -3600);
		X509_gmtime_adj(X509_getm_notAfter(cert_), 3600);
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					   (const unsigned char *)"server.test",
					   -1, -1, 0);
		X509_set_issuer_name(cert_, name);
		X509_set_pubkey(cert_, key_);
		EXPECT_GT(X509_sign(cert_, key_, EVP_sha256()), 0) << Errors();
	}
	~Identity()
	{
		X509_free(cert_);
		EVP_PKEY_free(key_);
	}
	EVP_PKEY *key() const
	{
		return key_;
	}
	X509 *cert() const
	{
		return cert_;
	}

      private:
	EVP_PKEY *key_;
	X509 *cert_;
};

/* What all servers, and all clients, share. */
class Contexts
{
      public:
	Contexts()
	{
		Identity id;

		EXPECT_EQ(1, SSL_CTX_use_certificate(server, id.cert()));
		EXPECT_EQ(1, SSL_CTX_use_PrivateKey(server, id.key()));
		SSL_CTX_set_verify(client, SSL_VERIFY_PEER, nullptr);
		EXPECT_EQ(1, X509_STORE_add_cert(SSL_CTX_get_cert_store(client),
						 id.cert()));
	}
	~Contexts()
	{
		SSL_CTX_free(server);
		SSL_CTX_free(client);
	}

	SSL_CTX *const server = SSL_CTX_new(TLS_server_method());
	SSL_CTX *const client = SSL_CTX_new(TLS_client_method());
};

/* One end; it owns the descriptor. */
class Tls
{
      public:
	Tls(SSL_CTX *context, int fd) : ssl_(SSL_new(context))
	{
		BIO *bio = BIO_new_socket(fd, BIO_CLOSE);

		SSL_set_bio(ssl_, bio, bio);
	}
	~Tls()
	{
		SSL_free(ssl_);
	}
	void Accept()
	{
		EXPECT_EQ(1, SSL_accept(ssl_)) << Errors();
	}
	void Connect()
	{
		EXPECT_EQ(1, SSL_set1_host(ssl_, "server.test"));
		EXPECT_EQ(1, SSL_connect(ssl_)) << Errors();
		EXPECT_EQ(X509_V_OK, SSL_get_verify_result(ssl_));
	}
	void Write(const std::string &data)
	{
		EXPECT_EQ((int)data.size(),
			  SSL_write(ssl_, data.data(), (int)data.size()))
			<< Errors();
	}
	/* All that comes until there are that many bytes. */
	std::string Read(size_t size)
	{
		std::string data(size, '\0');
		size_t at = 0;

		while (at < size) {
			int n = SSL_read(ssl_, &data[at], (int)(size - at));

			EXPECT_GT(n, 0) << Errors();
			if (n <= 0)
				break;
			at += (size_t)n;
		}
		data.resize(at);
		return data;
	}
	/* Say that nothing more will come, and hear it from the other. */
	void Shutdown()
	{
		char c;

		EXPECT_GE(SSL_shutdown(ssl_), 0) << Errors();
		EXPECT_EQ(0, SSL_read(ssl_, &c, 1));
		EXPECT_EQ(SSL_ERROR_ZERO_RETURN, SSL_get_error(ssl_, 0));
	}

      private:
	SSL *ssl_;
};

/* A part of a random sequence that is made once: to compute takes longer than
 * TLS does, and it is not what is to be seen here. */
std::string Bytes(uint64_t seed, size_t size)
{
	constexpr size_t kPlaces = 5000;
	static const std::string all = [] {
		std::mt19937 random(1);
		std::string s(kPlaces + kBytes, '\0');

		for (char &c : s)
			c = (char)random();
		return s;
	}();

	return all.substr(seed % kPlaces, size);
}

/* Both send at once in parts, so that either waits to read and to write. */
void Serve(SSL_CTX *context, int fd, uint64_t seed)
{
	Tls tls(context, fd);

	tls.Accept();
	for (size_t at = 0; at < kBytes; at += kBytes / 4) {
		std::string got = tls.Read(kBytes / 4);

		EXPECT_EQ(Bytes(seed + at, kBytes / 4), got);
		tls.Write(got);
	}
	tls.Shutdown();
}

void Use(SSL_CTX *context, int fd, uint64_t seed)
{
	Tls tls(context, fd);

	tls.Connect();
	for (size_t at = 0; at < kBytes; at += kBytes / 4) {
		std::string sent = Bytes(seed + at, kBytes / 4);

		tls.Write(sent);
		EXPECT_EQ(sent, tls.Read(kBytes / 4));
	}
	tls.Shutdown();
}

void RunPairs(const Contexts &contexts, int domain, uint64_t seed)
{
	wt::Group g;

	for (int i = 0; i < kPairs; i++) {
		int fd[2];
		uint64_t s = seed + (uint64_t)i * kBytes;

		ASSERT_EQ(0, socketpair(domain, SOCK_STREAM | SOCK_CLOEXEC, 0,
					fd));
		g.Go([&contexts, s, fd = fd[0]] {
			Serve(contexts.server, fd, s);
		});
		g.Go([&contexts, s, fd = fd[1]] {
			Use(contexts.client, fd, s);
		});
	}
}

} // namespace

TEST(Openssl, PairsOverBlockingBios)
{
	WT_NEEDS_THREADS();
	/* OpenSSL writes to sockets whose other end may be closed. */
	signal(SIGPIPE, SIG_IGN);
	for (int procs : { 1, 2 })
		wt::RunOn(procs, [] {
			Contexts contexts;
			Bytes(0, 1);
			libraries::Jitter jitter;
			uint64_t seed = wt::Seed();
			int rounds = 0;

			do {
				RunPairs(contexts, AF_UNIX, seed);
				seed += kPairs * kBytes;
				rounds++;
			} while (!jitter.Enough());
			printf("%d pairs, %zu bytes each way\n",
			       rounds * kPairs, kBytes);
			jitter.Expect();
		});
}
