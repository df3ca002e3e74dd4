/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - how busy others keep the machine meanwhile.
 */
#ifndef TESTS_LIBRARIES_LOAD_H
#define TESTS_LIBRARIES_LOAD_H

#include <cstdint>

namespace libraries
{

class Load
{
      public:
	/* From here on. */
	Load();

	/*
	 * How many CPUs were busy since, on average, for processes that are
	 * neither this one nor its descendants; 0 where it can't be told. A
	 * child that has ended and was not waited for by one of ours counts
	 * as another's.
	 */
	double OthersCpus() const;

      private:
	struct Times {
		int64_t now_ns;
		double busy, ours; /* seconds since whenever */
	};
	static Times Look();

	Times begin_;
};

} // namespace libraries

#endif
