"""validate.py SCHEMA FILE...: each line of each file against the schema; says what does not fit."""
import json
import sys

import jsonschema


def main(schema_path, paths):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    validator_class = jsonschema.validators.validator_for(schema)
    validator_class.check_schema(schema)
    validator = validator_class(schema)
    wrong = 0
    for path in paths:
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file:
                for error in validator.iter_errors(json.loads(line)):
                    print(f"{path}: {error.json_path}: {error.message[:300]}")
                    wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
