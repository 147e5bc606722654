#pragma once
#include <cstddef>
#include <functional>

namespace coppice::base {

/// Number of threads that parallel_for may use, the calling thread included. Default: the machine's cores.
int thread_count();

/// Sets thread_count(); values below 1 restore the default. Results never depend on it.
void set_thread_count(int threads);

/// Calls body(begin, end) over disjoint ranges that cover [0, count), each of at least `grain` items except the last.
/// Runs on the calling thread alone when count <= grain. The first exception thrown by a body is rethrown here.
/// Bodies must write to disjoint places; the split into ranges may vary from call to call.
void parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body);

}  // namespace coppice::base
