/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certs.h - certificates made on the spot, as PEM texts.
 */
#ifndef TESTS_STDLIB_NET_TLS_CERTS_H
#define TESTS_STDLIB_NET_TLS_CERTS_H

#include <string>

namespace net
{

struct Identity {
	std::string cert, key;
};

/* An authority that nobody but these tests trusts. */
class Authority
{
      public:
	Authority();
	~Authority();
	Authority(const Authority &) = delete;
	Authority &operator=(const Authority &) = delete;

	const std::string &Cert() const
	{
		return cert_;
	}
	/* names: as in subjectAltName, "DNS:a,IP:127.0.0.1". seconds: how long
	 * it holds; below 0: no longer. */
	Identity Make(const std::string &names, long seconds = 3600) const;
	/* The same, by nobody but itself. */
	static Identity SelfSigned(const std::string &names);

      private:
	void *x_, *key_;
	std::string cert_;
};

} // namespace net

#endif
