// In place of small/fiber.cpp: who has fibers has a library of Boost's.
void start_fiber() {}
