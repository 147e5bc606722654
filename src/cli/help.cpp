#include "cli/help.hpp"

#include <algorithm>
#include <string_view>

namespace coppice::cli {
namespace {

constexpr std::size_t right_edge = 80, indent = 2, text_column = 26;

/// Words of `text` in lines of at most `columns`, later lines indented by `margin`.
std::string wrap(std::string_view text, std::size_t margin, std::size_t at) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (at + word.size() > right_edge && at > margin) {
      if (out.ends_with(' ')) out.pop_back();
      out.append("\n").append(margin, ' ');
      at = margin;
    }
    out += word;
    at += word.size();
    text.remove_prefix(end == text.size() ? end : end + 1);
    if (text.empty()) break;
    out += ' ';
    ++at;
  }
  return out + '\n';
}

/// A name with many choices goes on in a new line behind one of them, under the first.
std::string fold(const std::string& name) {
  std::string out(indent, ' ');
  const std::size_t margin = indent + name.rfind(' ') + 1;
  std::size_t column = indent;
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('|', begin), name.size() - 1) + 1;
    if (column + (end - begin) > right_edge && column > margin) {
      out.append("\n").append(margin, ' ');
      column = margin;
    }
    out.append(name, begin, end - begin);
    column += end - begin;
    begin = end;
  }
  return out;
}

std::string entry(const std::string& name, const std::string& text) {
  std::string out = fold(name);
  // A long name has its text on the next line.
  if (out.size() + 2 > text_column) {
    out.append("\n").append(text_column, ' ');
  } else {
    out.append(text_column - out.size(), ' ');
  }
  return out + wrap(text, text_column, text_column);
}

std::string option_name(const CLI::Option& option) {
  std::string out;
  for (const std::string& name : option.get_snames()) out += (out.empty() ? "-" : ", -") + name;
  if (out.empty()) out = "    ";
  for (const std::string& name : option.get_lnames()) out += (out.ends_with(' ') ? "--" : ", --") + name;
  if (option.get_items_expected_max() > 0) out += " " + option.get_type_name();
  return out;
}

std::string option_text(const CLI::Option& option) {
  std::string out = option.get_description();
  if (!option.get_default_str().empty()) out += " (default " + option.get_default_str() + ")";
  return out;
}

std::string usage(const CLI::App& app) {
  const auto all = [](const CLI::App*) { return true; };
  std::string out = "Usage: ";
  for (const CLI::App* parent = app.get_parent(); parent; parent = parent->get_parent())
    out += parent->get_name() + " ";
  out += app.get_name();
  if (!app.get_subcommands(all).empty()) out += " COMMAND";
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional())
      out += " " + std::string(option->get_required() ? "" : "[") + option->get_name() +
             (option->get_required() ? "" : "]");
  }
  return out + " [OPTION]...\n";
}

}  // namespace

std::string Help::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string out = wrap(app->get_description(), 0, 0) + '\n' + usage(*app);
  std::string part;
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; }))
    part += entry(command->get_name(), command->get_description());
  if (!part.empty()) out += "\nCommands:\n" + part;
  part.clear();
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) part += entry(option->get_name(), option_text(*option));
  }
  if (!part.empty()) out += "\nArguments:\n" + part;
  for (const std::string& group : app->get_groups()) {
    part.clear();
    for (const CLI::Option* option : app->get_options()) {
      if (option->nonpositional() && option->get_group() == group)
        part += entry(option_name(*option), option_text(*option));
    }
    if (!part.empty() && !group.empty()) out += "\n" + group + ":\n" + part;
  }
  const std::string examples = app->get_footer();
  if (!examples.empty()) {
    out += "\nExamples:\n";
    for (std::size_t begin = 0; begin <= examples.size();) {
      const std::size_t end = std::min(examples.find('\n', begin), examples.size());
      out += "  " + examples.substr(begin, end - begin) + '\n';
      begin = end + 1;
    }
  }
  return out;
}

}  // namespace coppice::cli
