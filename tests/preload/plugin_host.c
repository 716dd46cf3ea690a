/* Without C++ and Boost, but for a plug-in: plugin_host PLUGIN. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  for (int round = 0; argc == 2 && round < 2; ++round) { /* unloaded, and loaded again */
    void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL) return puts(dlerror()), 1;
    void (*begin)(void) = (void (*)(void))dlsym(plugin, "begin");
    void (*end)(void) = (void (*)(void))dlsym(plugin, "end");
    begin();
    puts("parked");
    fflush(stdout);
    getchar();
    end();
    dlclose(plugin);
  }
  return 0;
}
