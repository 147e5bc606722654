#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/output.hpp"

namespace coppice::cli {
namespace {

std::string option_names(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_snames()) out += (out.empty() ? "-" : " -") + name;
    for (const std::string& name : option->get_lnames()) out += (out.empty() ? "--" : " --") + name;
  }
  return out;
}

/// What the shell is to offer as a value of this type: files, nothing for a placeholder, else the type's choices.
std::string offer(const std::string& type) {
  if (type == "FILE") return "files=1";
  if (type.empty() || (type[0] >= 'A' && type[0] <= 'Z')) return ":";
  std::string words = type;
  for (char& letter : words) letter = letter == '|' ? ' ' : letter;
  return "words='" + words + "'";
}

std::string command_case(const CLI::App& command) {
  std::string values, arguments = ":";
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) arguments = offer(option->get_type_name());
    if (!option->nonpositional() || option->get_items_expected_max() == 0) continue;
    std::string names;
    for (const std::string& name : option->get_snames()) names += (names.empty() ? "-" : "|-") + name;
    for (const std::string& name : option->get_lnames()) names += (names.empty() ? "--" : "|--") + name;
    values += "        " + names + ") " + offer(option->get_type_name()) + " ;;\n";
  }
  return "    " + command.get_name() + ")\n      options='" + option_names(command) + "'\n      case $previous in\n" +
         values + "        *) " + arguments + " ;;\n      esac ;;\n";
}

std::string bash_script(const CLI::App& app) {
  std::string names, cases;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : " ") + command->get_name();
    cases += command_case(*command);
  }
  return "# Completion of coppice for bash, written by: coppice completion bash\n"
         "_coppice() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command= options= words= files= word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in -*) ;; *) command=$word; break ;; esac\n"
         "  done\n"
         "  case $command in\n"
         "    '') options='" +
         option_names(app) + "' words='" + names + "' ;;\n" + cases +
         "  esac\n"
         "  case $current in -*) words=$options files= ;; esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  if [ -n \"$files\" ]; then\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    local line\n"
         "    while IFS= read -r line; do COMPREPLY+=(\"$line\"); done < <(compgen -f -- \"$current\")\n"
         "  fi\n"
         "}\n"
         "complete -F _coppice coppice\n";
}

}  // namespace

void add_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print the script that completes command lines in a shell");
  command->add_option("SHELL", *shell, "For which shell: bash")->type_name("bash")->required();
  command->footer(
      "coppice completion bash > ~/.local/share/bash-completion/completions/coppice\n"
      "source <(coppice completion bash)");
  command->callback([shell, &app] {
    if (*shell != "bash") throw UsageError("expected bash, found \"" + *shell + "\"");
    print(bash_script(app));
  });
}

}  // namespace coppice::cli
