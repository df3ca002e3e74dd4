/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl_test.cc - libcurl's easy interface in many tasks, against
 * examples/httpd in another process.
 */
#include "tests/libraries/jitter.h"
#include "tests/libraries/process.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <string>

namespace
{

/* httpd, listening on a free port. */
class Httpd
{
      public:
	bool Start()
	{
		const char *program = getenv("WEND_TEST_HTTPD");
		std::string line;
		size_t at;

		if (!program || !process_.Start({ program, "--port", "0" }))
			return false;
		line = process_.Line(); /* listening on http://... */
		at = line.find("http://");
		if (at == std::string::npos)
			return false;
		url_ = line.substr(at);
		return true;
	}
	/* It ends by itself, and says what it has done. */
	std::string Stop()
	{
		std::string said;
		int status;

		process_.Signal(SIGTERM);
		said = process_.Rest();
		status = process_.Wait();
		EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
			<< status;
		return said;
	}
	const std::string &url() const
	{
		return url_;
	}

      private:
	libraries::Process process_;
	std::string url_;
};

size_t Append(char *data, size_t one, size_t size, void *to)
{
	static_cast<std::string *>(to)->append(data, one * size);
	return one * size;
}

/* A handle for several requests, so that it uses its connection again. */
class Easy
{
      public:
	Easy() : curl_(curl_easy_init())
	{
		curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(curl_, CURLOPT_TIMEOUT, 100L);
		curl_easy_setopt(curl_, CURLOPT_PROXY, "");
		curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, Append);
	}
	~Easy()
	{
		curl_easy_cleanup(curl_);
	}
	std::string Get(const std::string &url)
	{
		curl_easy_setopt(curl_, CURLOPT_HTTPGET, 1L);
		return Perform(url);
	}
	std::string Post(const std::string &url, const std::string &body)
	{
		curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE,
				 (long)body.size());
		curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.data());
		return Perform(url);
	}
	long Connections() const
	{
		return connections_;
	}

      private:
	std::string Perform(const std::string &url)
	{
		std::string body;
		long code = 0, made = 0;

		curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
		curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &body);
		CURLcode r = curl_easy_perform(curl_);
		EXPECT_EQ(CURLE_OK, r) << curl_easy_strerror(r);
		curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &code);
		curl_easy_getinfo(curl_, CURLINFO_NUM_CONNECTS, &made);
		EXPECT_EQ(200, code);
		connections_ += made;
		return body;
	}

	CURL *curl_;
	long connections_ = 0;
};

/* Large enough that the sockets fill up. */
std::string Body(int task, int step)
{
	return std::to_string(task) + "." + std::to_string(step) +
	       std::string(100000, (char)('a' + task % 26));
}

constexpr int kTasks = 20, kSteps = 4;

void UseInTasks(const std::string &url)
{
	wt::Group g;

	for (int i = 0; i < kTasks; i++)
		g.Go([&, i] {
			Easy easy;

			for (int k = 0; k < kSteps; k++) {
				std::string body = Body(i, k);

				EXPECT_EQ("hello from wend\n",
					  easy.Get(url + "/"));
				EXPECT_EQ(body, easy.Post(url + "/echo", body));
			}
			EXPECT_EQ(1, easy.Connections());
		});
}

} // namespace

TEST(Curl, EasyInManyTasks)
{
	Httpd httpd;
	int rounds = 0;

	WT_NEEDS_THREADS();
	ASSERT_TRUE(httpd.Start());
	ASSERT_EQ(CURLE_OK, curl_global_init(CURL_GLOBAL_DEFAULT));
	for (int procs : { 1, 2 })
		wt::RunOn(procs, [&] {
			libraries::Jitter jitter;

			do {
				UseInTasks(httpd.url());
				rounds++;
			} while (!jitter.Enough());
			jitter.Expect();
		});
	curl_global_cleanup();
	EXPECT_EQ(std::to_string(rounds * kTasks * kSteps * 2) +
			  " requests from " + std::to_string(rounds * kTasks) +
			  " clients\n",
		  httpd.Stop());
}
