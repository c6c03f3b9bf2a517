// What a command says, held until it is whole and then printed once: as text for people or as JSON for programs, both
// from the same cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// One value in both its forms. Strings and whole numbers convert; a real is given with the form that printf takes.
struct cell {
    std::string text;
    std::variant<std::nullptr_t, bool, std::int64_t, double, std::string> data;

    cell(std::string words) : text(words), data(std::move(words)) {}
    cell(const char* words) : cell(std::string(words)) {}
    cell(std::string shown, decltype(data) held) : text(std::move(shown)), data(std::move(held)) {}
    /// "1,234,567"
    static cell count(std::size_t value);
    static cell real(const char* form, double value);
    static cell none() { return {"-", nullptr}; }
};

/// The name of a column in JSON and at the top of it.
struct column {
    std::string key;
    std::string title;
};

class output {
  public:
    /// A line "key          text"; in JSON a member of the document.
    void fact(const std::string& key, cell value);
    /// Rows in columns, the first `left` of them aligned at the left, under a line `title`; in JSON an array of
    /// objects.
    void table(const std::string& key, std::string title, std::vector<column> columns,
               std::vector<std::vector<cell>> rows, std::size_t left = 1);
    /// Lines that stand in the text alone.
    void remark(std::string lines);
    /// A member of the document that is JSON already.
    void json(const std::string& key, std::string document);

    std::string to_text() const;
    std::string to_json() const;
    /// To stdout. Throws octet::error when it cannot be written.
    void print(bool as_json) const;

  private:
    struct table_part {
        std::string title;
        std::vector<column> columns;
        std::vector<std::vector<cell>> rows;
        std::size_t left;
    };
    struct json_part {
        std::string document;
    };
    struct text_part {
        std::string lines;
    };
    std::vector<std::pair<std::string, std::variant<cell, table_part, json_part, text_part>>> parts_;
};
