// Guru Meditation Reports for servers on Boost.Asio: everything a service includes.
#pragma once

#include "gmr/detail/language.hpp"

#include "gmr/model/report.hpp"
#include "gmr/model/value.hpp"
#include "gmr/options/configuration.hpp"
#include "gmr/options/options.hpp"
#include "gmr/reporter.hpp"
#include "gmr/section/section.hpp"
#include "gmr/trace/label.hpp"
#include "gmr/trace/scheduler.hpp"
#include "gmr/view/view.hpp"
