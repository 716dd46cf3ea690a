/* Offsets that the assembly hook uses; fiber_record.hpp, thread_registry.hpp and fiber_hook.cpp check
 * them. */
#pragma once

#define GMR_SLOT_CURRENT 0
#define GMR_SLOT_OWN 64

#define GMR_RECORD_SEQUENCE 0
#define GMR_RECORD_STATE 4
#define GMR_RECORD_SUSPENDED_AT 8
#define GMR_RECORD_RUNNER 24
#define GMR_RECORD_RESUMED_BY 32
#define GMR_RECORD_FIRST_DATA 48
#define GMR_RECORD_REFERENCE 56
#define GMR_RECORD_REGISTERS 64

#define GMR_CONTEXT_GOES_ON 64 /* in a context of Boost's for x86-64 */

#define GMR_THIS_THREAD_RUNS _ZN3gmr5trace16this_thread_runsE
#define GMR_LEFT_FIBER 24

/* In the lowest bit of what resumed_by holds: the switch there was ontop_fcontext. */
#define GMR_BY_ONTOP 1

#define GMR_CLOCK 6 /* CLOCK_MONOTONIC_COARSE */

#define GMR_STATE_SUSPENDABLE 1
#define GMR_STATE_ENDING 2
