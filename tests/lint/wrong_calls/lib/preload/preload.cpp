void start() { std::ofstream{"x"}; }  // found
