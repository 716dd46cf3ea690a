// The Control Group section, of trees of files that say what a kernel would.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "facts/container_names.hpp"
#include "facts/control_group.hpp"
#include "support/scratch_directory.hpp"
#include "support/values.hpp"

namespace {

using gmr::facts::control_group_facts;
using gmr::facts::control_group_reader;
using gmr::facts::find_container;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using values::at;

const std::string container_id(64, 'a');

class ControlGroup : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& content) {
    const std::filesystem::path file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << content << '\n';
  }
  void version_2(const std::string& group) {
    write("proc/self/cgroup", "0::" + group);
    write("proc/self/mountinfo", "30 1 0:1 / /cg rw - cgroup2 cgroup2 rw");
  }
  void cpu(const std::string& group, int periods, int throttled) {
    write("cg" + group + "/cpu.max", "150000 100000");
    write("cg" + group + "/cpu.stat", "usage_usec 1\nnr_periods " + std::to_string(periods) +
                                          "\nnr_throttled " + std::to_string(throttled) +
                                          "\nthrottled_usec " + std::to_string(throttled * 50'000));
  }
  void memory(const std::string& group, int used, int cached, const std::string& limit) {
    write("cg" + group + "/memory.current", std::to_string(used));
    write("cg" + group + "/memory.max", limit);
    write("cg" + group + "/memory.high", "max");
    write("cg" + group + "/memory.stat", "anon 1\ninactive_file " + std::to_string(cached));
    write("cg" + group + "/memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 2");
  }
  [[nodiscard]] const std::filesystem::path& folder_path() const { return folder_.path(); }
  [[nodiscard]] control_group_reader reader() const {
    return control_group_reader{folder_.path().string()};
  }

 private:
  gmr::test::scratch_directory folder_;
};

TEST_F(ControlGroup, HasTheUnitAndWhatItMayUse) {
  version_2("/system.slice/orders.service");
  cpu("/system.slice/orders.service", 100, 4);
  memory("/system.slice/orders.service", 500, 100, "1000");
  write("cg/system.slice/orders.service/pids.max", "64");
  write("cg/system.slice/orders.service/pids.current", "9");
  const gmr::value section = reader().read(1).section;
  EXPECT_EQ(values::text(at(section, "name")), "/system.slice/orders.service");
  EXPECT_EQ(values::text(at(section, "unit")), "orders.service");
  EXPECT_TRUE(at(section, "container").is_null());
  EXPECT_EQ(std::get<double>(at(section, "cpu", "limit_cpus").get()), 1.5);
  EXPECT_EQ(values::number(at(section, "cpu", "throttled_periods")), 4U);
  EXPECT_DOUBLE_EQ(std::get<double>(at(section, "cpu", "throttled_seconds").get()), 0.2);
  EXPECT_EQ(values::number(at(section, "memory", "limit_bytes")), 1000U);
  EXPECT_TRUE(at(section, "memory", "high_bytes").is_null());
  EXPECT_EQ(values::number(at(section, "memory", "used_bytes")), 500U);
  EXPECT_EQ(values::number(at(section, "memory", "events", "oom_kill")), 2U);
  EXPECT_EQ(values::number(at(section, "tasks", "limit")), 64U);
  EXPECT_EQ(values::number(at(section, "tasks", "count")), 9U);
}

TEST_F(ControlGroup, ShowsTheTightestLimitOfThoseAbove) {
  version_2("/outer/inner");
  memory("/outer/inner", 500, 0, "max");
  memory("/outer", 800, 0, "1000");
  const gmr::value section = reader().read(1).section;
  EXPECT_EQ(values::text(at(section, "memory", "group")), "/outer");
  EXPECT_TRUE(at(section, "cpu").is_null());
}

TEST_F(ControlGroup, OfVersion1) {
  write("proc/self/cgroup",
        "4:memory:/docker/" + container_id + "\n3:cpu,cpuacct:/docker/" + container_id + "\n0::/");
  write("proc/self/mountinfo",
        "31 1 0:1 / /memory rw - cgroup cgroup rw,memory\n"
        "32 1 0:2 / /cpu rw - cgroup cgroup rw,cpu,cpuacct");
  const std::string group = "/docker/" + container_id;
  write("memory" + group + "/memory.usage_in_bytes", "990");
  write("memory" + group + "/memory.limit_in_bytes", "1000");
  write("memory" + group + "/memory.failcnt", "3");
  write("memory" + group + "/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1");
  write("memory/memory.usage_in_bytes", "5000");
  write("memory/memory.limit_in_bytes", "9223372036854771712");
  write("cpu" + group + "/cpu.cfs_quota_us", "200000");
  write("cpu" + group + "/cpu.cfs_period_us", "100000");
  write("cpu" + group + "/cpu.stat", "nr_periods 9\nnr_throttled 2\nthrottled_time 500000000");
  const control_group_facts found = reader().read(1);
  EXPECT_EQ(values::text(at(found.section, "container", "id")), container_id);
  EXPECT_EQ(values::text(at(found.section, "container", "runtime")), "docker");
  EXPECT_EQ(std::get<double>(at(found.section, "cpu", "limit_cpus").get()), 2);
  EXPECT_EQ(std::get<double>(at(found.section, "cpu", "throttled_seconds").get()), 0.5);
  EXPECT_EQ(values::number(at(found.section, "memory", "limit_bytes")), 1000U);
  ASSERT_THAT(found.findings, SizeIs(1));
  EXPECT_EQ(found.findings[0].kind, gmr::finding_kind::memory_near_limit);
  EXPECT_THAT(found.findings[0].text, HasSubstr("990 B of the 1000 B"));
  EXPECT_THAT(found.findings[0].text, HasSubstr("a process of it has been killed for memory"));
}

TEST_F(ControlGroup, ThatIsThrottledInManyPeriodsIsAFinding) {
  version_2("/x");
  cpu("/x", 1000, 900);
  control_group_reader kept = reader();
  EXPECT_THAT(kept.read(1).findings, IsEmpty()) << "all that was before there was a reporter";
  cpu("/x", 1100, 925);
  const control_group_facts second = kept.read(2);
  ASSERT_THAT(second.findings, SizeIs(1));
  EXPECT_EQ(second.findings[0].kind, gmr::finding_kind::cpu_throttled);
  EXPECT_THAT(
      second.findings[0].text,
      testing::StartsWith("Control group /x, which may use 1.5 CPUs, was throttled in 25 of "
                          "100 periods since report 1, "));
  EXPECT_EQ(values::number(at(second.section, "cpu_since_last_report", "throttled_periods")), 25U);
  cpu("/x", 1200, 945);
  EXPECT_THAT(kept.read(3).findings, IsEmpty()) << "a fifth";
  cpu("/x", 1209, 954);
  EXPECT_THAT(kept.read(4).findings, IsEmpty()) << "too few";
}

TEST_F(ControlGroup, ThatCachesFilesUpToItsLimitIsNone) {
  version_2("/x");
  memory("/x", 1000, 51, "1000");
  EXPECT_THAT(reader().read(1).findings, IsEmpty());
  memory("/x", 1000, 50, "1000");
  EXPECT_THAT(reader().read(1).findings, SizeIs(1));
}

TEST_F(ControlGroup, HasItsOwnPressureOrElseTheMachines) {
  const std::string lines =
      "some avg10=1.50 avg60=0.50 avg300=0.10 total=2500000\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=0";
  version_2("/x");
  for (const char* each : {"cpu", "memory", "io"})
    write(std::string{"proc/pressure/"} + each, lines);
  EXPECT_EQ(values::text(at(reader().read(1).section, "pressure_of")), "the machine");
  for (const char* each : {"cpu", "memory", "io"})
    write("cg/x/" + std::string{each} + ".pressure", lines);
  const gmr::value section = reader().read(1).section;
  EXPECT_EQ(values::text(at(section, "pressure_of")), "control group /x");
  const auto& table = std::get<gmr::table>(at(section, "pressure").get());
  ASSERT_THAT(table.rows, SizeIs(6));
  EXPECT_EQ(values::text(table.rows[2][0]), "memory");
  EXPECT_EQ(values::text(table.rows[2][1]), "some");
  EXPECT_EQ(std::get<double>(table.rows[2][2].get()), 1.5);
  EXPECT_EQ(std::get<double>(table.rows[2][5].get()), 2.5);
}

TEST_F(ControlGroup, SaysWhatItCanNotRead) {
  const gmr::value section = reader().read(1).section;
  EXPECT_TRUE(at(section, "name").is_null());
  EXPECT_TRUE(at(section, "memory").is_null());
  const auto& unavailable = values::items(at(section, "unavailable"));
  ASSERT_THAT(unavailable, SizeIs(2));
  EXPECT_EQ(values::text(unavailable[0]), "groups: No such file or directory");
  EXPECT_THAT(values::text(unavailable[1]), HasSubstr("No such file or directory"));
}

TEST_F(ControlGroup, SaysOnceWhatIsRefused) {
  version_2("/outer/inner");
  for (const char* each : {"/outer/inner", "/outer"}) {
    memory(each, 500, 0, "1000");
    std::filesystem::remove(folder_path() / ("cg" + std::string{each} + "/memory.max"));
    std::filesystem::create_directories(folder_path() / ("cg" + std::string{each} + "/memory.max"));
  }
  const gmr::value section = reader().read(1).section;
  int said = 0;
  for (const gmr::value& each : values::items(at(section, "unavailable")))
    said += values::text(each) == "memory.max: Is a directory" ? 1 : 0;
  EXPECT_EQ(said, 1);
}

TEST(Container, IsWhatTheGroupIsCalledAfter) {
  const std::string pod = "8d5c9cb2-0e4d-4f5a-9f6e-2f3b5e0c7a11";
  const auto runtime = [](const std::string& group) {
    const auto found = find_container(group, "");
    return found.runtime + " " + found.id;
  };
  EXPECT_EQ(runtime("/system.slice/docker-" + container_id + ".scope"), "docker " + container_id);
  EXPECT_EQ(runtime("/docker/" + container_id), "docker " + container_id);
  EXPECT_EQ(runtime("/machine.slice/libpod-" + container_id + ".scope/container"),
            "libpod " + container_id);
  EXPECT_EQ(runtime("/lxc.payload.web/system.slice/orders.service"), "lxc web");
  EXPECT_EQ(runtime("/user.slice/user-1000.slice/session-3.scope"), " ");
  const auto kubernetes = find_container(
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod"
      "8d5c9cb2_0e4d_4f5a_9f6e_2f3b5e0c7a11.slice/cri-containerd-" +
          container_id + ".scope",
      "");
  EXPECT_EQ(kubernetes.runtime, "cri-containerd");
  EXPECT_EQ(kubernetes.id, container_id);
  EXPECT_EQ(kubernetes.pod, pod);
  const auto older = find_container("/kubepods/besteffort/pod" + pod + "/" + container_id, "");
  EXPECT_EQ(older.pod, pod);
  EXPECT_EQ(older.id, container_id);
}

// Where a container sees its own group as the top.
TEST(Container, IsWhatMountsTell) {
  const auto docker = find_container("/", "1 2 8:1 /var/lib/docker/containers/" + container_id +
                                              "/hostname /etc/hostname rw - ext4 d rw\n");
  EXPECT_EQ(docker.id, container_id);
  const auto pod = find_container("/",
                                  "1 2 8:1 /var/lib/kubelet/pods/8d5c9cb2-0e4d-4f5a-9f6e-"
                                  "2f3b5e0c7a11/etc-hosts /etc/hosts rw - ext4 d rw\n");
  EXPECT_EQ(pod.pod, "8d5c9cb2-0e4d-4f5a-9f6e-2f3b5e0c7a11");
  EXPECT_EQ(find_container("/", "1 2 8:1 / /etc/hosts rw - ext4 d rw\n").id, "");
}

TEST(Unit, IsTheInnermost) {
  EXPECT_EQ(find_container("/user.slice/user@1000.service/app.slice/orders.service/w", "").unit,
            "orders.service");
  EXPECT_EQ(find_container("/user.slice/session-3.scope", "").unit, "session-3.scope");
  EXPECT_EQ(find_container("/", "").unit, "");
}

// Of whatever runs this test: nothing is known but that it can be read.
TEST(ControlGroupOfThisProcess, IsRead) {
  const gmr::value section = control_group_reader{}.read(1).section;
  EXPECT_FALSE(at(section, "name").is_null());
  EXPECT_TRUE(values::has(section, "pressure"));
}

}  // namespace
