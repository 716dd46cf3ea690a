#include "command_line.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <iostream>

#include "exit_codes.hpp"

namespace gmr_command {
namespace {

namespace po = boost::program_options;

void print_help(const po::options_description& described, const command_help& help) {
  std::cout << "usage: " << help.usage << "\n\n"
            << help.description << "\n"
            << described << "\nExamples:\n"
            << help.examples;
}

}  // namespace

std::optional<po::variables_map> read_arguments(const std::vector<std::string>& arguments,
                                                const po::options_description& described,
                                                const command_help& help) {
  po::options_description shown("Options");
  shown.add_options()("help,h", "print this and end");
  for (const auto& option : described.options())
    shown.add(option);
  po::options_description all;
  all.add(shown).add_options()("operands", po::value<std::vector<std::string>>());
  po::positional_options_description unnamed;
  unnamed.add("operands", -1);
  po::variables_map values;
  try {
    // Without guessing: an abbreviation that works today may be ambiguous tomorrow.
    using po::command_line_style::allow_guessing;
    using po::command_line_style::unix_style;
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(unnamed)
                  .style(unix_style & ~allow_guessing)
                  .run(),
              values);
    if (values.contains("help")) {
      print_help(shown, help);
      return std::nullopt;
    }
    po::notify(values);
  } catch (const po::error& error) {
    throw failure{exit_command_line, error.what()};
  }
  return values;
}

std::vector<std::string> operands(const po::variables_map& values) {
  const auto found = values.find("operands");
  if (found == values.end()) return {};
  return found->second.as<std::vector<std::string>>();
}

}  // namespace gmr_command
