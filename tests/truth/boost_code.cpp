// The one unit that holds the code of Asio and Beast; everywhere else their headers only declare.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
