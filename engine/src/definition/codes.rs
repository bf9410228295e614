//! Every diagnostic code with its meaning. A code is never given a second meaning; a code that is no longer used stays
//! out of use.

/// A diagnostic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    /// `S0001`.
    pub(crate) id: &'static str,
}

macro_rules! codes {
    ($($name:ident = $id:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub(crate) const $name: Code = Code { id: $id };)*

        /// Every code with its meaning in one line.
        pub(crate) const ALL: &[(&str, &str)] = &[$(($id, $meaning)),*];
    };
}

codes! {
    SYNTAX = "S0001" "the file is not JSON";
    TOO_DEEP = "S0002" "the file nests deeper than 100 levels";
    DUPLICATE_KEY = "S0003" "an object has the same key twice";
    NOT_A_DEFINITION = "S0004" "the file is not a skill definition";
    NOT_A_JSON_NUMBER = "S0005" "a number that JSON does not have";
    MORE = "S0006" "more problems than are shown";

    WRONG_TYPE = "S0010" "a value has the wrong JSON type";
    UNKNOWN_KEY = "S0011" "a key that nothing reads";
    UNKNOWN_VALUE = "S0012" "a value that is none of those allowed";
    MISSING_KEY = "S0013" "a key that is needed is missing";
    SCHEMA = "S0014" "the file does not match its JSON Schema";
    BAD_NAME = "S0015" "a name with characters or a length that names cannot have";
    BAD_VERSION = "S0016" "not a semantic version or version range";
    REPEATED = "S0017" "the same thing is given twice";
    EMPTY = "S0018" "an empty text where there has to be one";
    NOT_HERE = "S0019" "a key that this type of skill does not use";
    BAD_URL = "S0020" "a homepage that is not an http or https address";

    OTHER_SCOPE = "S0022" "a scope other than where the skill was found";
    CONFIGURATION = "S0023" "a section that belongs in the configuration";
    NOT_APPLIED = "S0027" "a key that this version does not apply";
    SELF_DEPENDENCY = "S0028" "a skill that needs itself";
    BAD_GLOB = "S0029" "a pattern of file names that is none";
    SANDBOX_STAYS_ON = "S0024" "an attempt to turn the sandbox off";
    PARAMETERS_AS_SCHEMA = "S0026" "parameters that are written as one JSON Schema";
    BAD_ARGUMENT = "S0025" "an argument that no program can be given";

    OUT_OF_RANGE = "S0030" "a number outside of the range allowed";
    OLD_SPELLING = "S0021" "a key in an older spelling of v2";

    LOOKS_LIKE_SECONDS = "S0031" "a time in milliseconds that looks like seconds";
    LOOKS_LIKE_MILLISECONDS = "S0032" "a time in seconds that looks like milliseconds";

    INLINE_WITH_SESSION = "S0040" "an inline skill with a session";
    CONVERSATION_WITH_EXECUTOR = "S0041" "a conversation with an executor";
    CODE_WITH_CONVERSATION = "S0042" "a code skill with a conversation";
    MISSING_EXECUTOR = "S0043" "a code skill without anything to run";
    MISSING_SESSION = "S0044" "a skill that keeps a session without session settings";
    MISSING_CONVERSATION = "S0045" "a conversation without a prompt";
    SEVERAL_BODIES = "S0047" "more than one thing to run";
    NO_PROTOCOL = "S0048" "a session of a program of which nothing says how it is asked";
    PROTOCOL = "S0049" "a protocol that does not go with the rest of the definition";

    REFERENCE_MISSING = "S0050" "a referenced file does not exist";
    REFERENCE_OUTSIDE = "S0051" "a reference out of the skill's folder";
    REFERENCE_LINK = "S0052" "a referenced file is behind a link out of the skill's folder";
    REFERENCE_NOT_A_FILE = "S0053" "a reference to a folder or a special file";
    REFERENCE_TOO_LARGE = "S0054" "a referenced file is too large";
    REFERENCE_NOT_TEXT = "S0055" "a referenced file is not UTF-8";
    REFERENCE_TYPE = "S0056" "a referenced file of a type that cannot be referenced";
    REFERENCE_HOST = "S0057" "a reference with a host";
    REFERENCE_ENCODING = "S0058" "percent-encoding that does not decode";
    REFERENCE_NUL = "S0059" "a reference with a NUL character";
    REFERENCE_ABSOLUTE = "S0060" "an absolute reference to a folder that is not allowed";
    REFERENCE_MALFORMED = "S0061" "a reference that is not written as one";
    REFERENCE_UNREADABLE = "S0062" "a referenced file that cannot be read";

    UNKNOWN_LANGUAGE = "S0070" "a language that the engine does not know";
    NO_LANGUAGE = "S0071" "code whose language is not said";
    LANGUAGE_MISMATCH = "S0072" "the language and the file extension differ";
    CODE_IS_A_PATH = "S0073" "code that looks like a path";
    SCRIPT_SYNTAX = "S0074" "code that does not parse";

    DUPLICATE_PARAMETER = "S0080" "two parameters with the same name";
    BAD_PATTERN = "S0081" "a pattern that does not compile";
    BAD_DEFAULT = "S0082" "a default that its own parameter does not allow";
    ENUM_WITHOUT_VALUES = "S0083" "an enum without values";
    EMPTY_RANGE = "S0084" "a minimum above its maximum";
    REQUIRED_WITH_DEFAULT = "S0085" "a required parameter with a default";
    CONSTRAINT_OF_OTHER_TYPE = "S0086" "a constraint that the parameter's type does not have";
    UNKNOWN_PLACEHOLDER = "S0087" "a placeholder that no parameter fills";
    UNSAFE_PLACEHOLDER = "S0088" "a placeholder where a value could run as code";
    ENVIRONMENT = "S0089" "an environment variable that changes which code runs";
    EXIT_CODE = "S0090" "an exit code that no program has";

    DIALECT = "S0100" "the file is written in another form than v2";
    UNTRANSLATABLE = "S0101" "a part of another form that has no counterpart in v2";
    DEVIATION = "S0102" "a v2 file with a key or value of another form";
    NEEDS_SHELL = "S0103" "a command that only a shell understands";
    COMMAND_SPLIT = "S0104" "a command line that stands for a program and its arguments";
    BROKEN_COMMAND = "S0105" "a command line that no shell would understand";
    UNDECLARED_PARAMETER = "S0107" "a placeholder without a parameter of its name";
    UNUSED_PARAMETER = "S0108" "a parameter that nothing uses";
    NO_VALUE = "S0109" "a parameter that may be left out, where something has to stand";
    CONFLICTING_DEFAULT = "S0110" "defaults or values that contradict each other";
    TEXT_FOR_VALUE = "S0111" "a value that is written as text";
    DANGEROUS_COMMAND = "S0112" "a command that a person should look at before it runs";
    KEPT_AS_METADATA = "S0113" "keys of another form that only metadata keeps";
    ANYTHING_GOES = "S0114" "a parameter that takes more than the file says elsewhere";
    BESIDE_THE_FILE = "S0115" "a program that is a script beside the definition";
    STEP = "S0116" "a step of a workflow that cannot work";
    UNUSED_CONTEXT = "S0117" "a value of a workflow's context that no step uses";
    NEEDS_PROCESSES = "S0118" "a command that starts programs, which its definition does not ask for";

    FRONT_MATTER = "S0120" "a SKILL.md without front matter that can be read";
    FRONT_MATTER_LIMIT = "S0121" "a front matter that expands beyond what is allowed";
    FRONT_MATTER_KEY = "S0122" "a front matter field that the format does not have";
    FRONT_MATTER_VALUE = "S0123" "a front matter field with a value that the format does not allow";
    OTHER_FOLDER_NAME = "S0124" "a SKILL.md whose folder has another name";
    EMPTY_BODY = "S0125" "a SKILL.md without instructions";

    CONFIG_UNREADABLE = "S0140" "a configuration file that cannot be read";
    CONFIG_LOOSENS = "S0141" "a project's configuration that would allow more than the user's";
    CONFIG_FOLDER = "S0142" "a folder in the configuration that cannot be used";
    CONFIG_SECRET = "S0143" "a secret in the configuration that does not say in one way where its value is";

    UNREADABLE = "S0150" "a definition file that cannot be read";
    TOO_LARGE = "S0151" "a definition file that is too large";
    NOT_TEXT = "S0152" "a definition file that is not UTF-8";
    SHADOWED = "S0153" "a skill that hides another of the same name";
    SAME_NAME = "S0154" "two definitions with the same name side by side";
    ALIAS_OF_SEVERAL = "S0155" "an alias that several skills claim";
    ALIAS_IS_A_NAME = "S0156" "an alias that is another skill's name";
    TOO_MANY = "S0157" "a folder with more than discovery looks at";
    FOLDER_UNREADABLE = "S0158" "a folder that cannot be read";
    UNRECOGNISED = "S0160" "JSON files where skills are looked for that are no definitions";
    LINK_OUT = "S0159" "a link where skills are looked for, which is not followed";
}
