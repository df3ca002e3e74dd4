/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/stdlib/net/tls/certs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdlib>

namespace net
{

namespace
{

/* OpenSSL's own failures are not what is tested. */
template <typename T> T Must(T value)
{
	if (!value)
		abort();
	return value;
}

std::string Text(BIO *b)
{
	char *data;
	long n = BIO_get_mem_data(b, &data);
	std::string text(data, (size_t)n);

	BIO_free(b);
	return text;
}

std::string Pem(X509 *x)
{
	BIO *b = Must(BIO_new(BIO_s_mem()));

	Must(PEM_write_bio_X509(b, x));
	return Text(b);
}

std::string Pem(EVP_PKEY *key)
{
	BIO *b = Must(BIO_new(BIO_s_mem()));

	Must(PEM_write_bio_PrivateKey(b, key, nullptr, nullptr, 0, nullptr,
				      nullptr));
	return Text(b);
}

void Extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, nullptr, nullptr, 0);
	X509_EXTENSION *e = Must(
		X509V3_EXT_conf_nid(nullptr, &ctx, nid, value));
	Must(X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

X509 *NewCert(const char *name, EVP_PKEY *key, X509 *issuer, long seconds)
{
	X509 *x = Must(X509_new());
	X509_NAME *subject = X509_get_subject_name(x);
	uint64_t serial;

	RAND_bytes((unsigned char *)&serial, sizeof(serial));
	X509_set_version(x, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1);
	X509_gmtime_adj(X509_getm_notBefore(x), seconds < 0 ? -7200 : -60);
	X509_gmtime_adj(X509_getm_notAfter(x), seconds);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x,
			     issuer ? X509_get_subject_name(issuer) : subject);
	X509_set_pubkey(x, key);
	return x;
}

/* issuer null: it signs itself. */
Identity NewIdentity(const std::string &names, long seconds, X509 *issuer,
		     EVP_PKEY *signer)
{
	EVP_PKEY *key = Must(EVP_EC_gen("P-256"));
	X509 *x = NewCert("test", key, issuer, seconds);
	Identity id;

	Extend(x, issuer ? issuer : x, NID_subject_alt_name, names.c_str());
	Must(X509_sign(x, signer ? signer : key, EVP_sha256()));
	id.cert = Pem(x);
	id.key = Pem(key);
	X509_free(x);
	EVP_PKEY_free(key);
	return id;
}

} // namespace

Authority::Authority()
{
	EVP_PKEY *key = Must(EVP_EC_gen("P-256"));
	X509 *x = NewCert("test authority", key, nullptr, 86400);

	Extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
	Must(X509_sign(x, key, EVP_sha256()));
	x_ = x;
	key_ = key;
	cert_ = Pem(x);
}

Authority::~Authority()
{
	X509_free((X509 *)x_);
	EVP_PKEY_free((EVP_PKEY *)key_);
}

Identity Authority::Make(const std::string &names, long seconds) const
{
	return NewIdentity(names, seconds, (X509 *)x_, (EVP_PKEY *)key_);
}

Identity Authority::SelfSigned(const std::string &names)
{
	return NewIdentity(names, 3600, nullptr, nullptr);
}

} // namespace net
