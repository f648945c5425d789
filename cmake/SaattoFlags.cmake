# Compiler flags, as two interface targets: saatto_warnings and saatto_hardening.
# Generated code opts out of the first with -w (see proto/CMakeLists.txt).

add_library(saatto_warnings INTERFACE)
target_compile_options(saatto_warnings INTERFACE
    -Wall -Wextra -Wpedantic
    -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings
    -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference)
if(SAATTO_WERROR)
    target_compile_options(saatto_warnings INTERFACE -Werror)
endif()

add_library(saatto_hardening INTERFACE)
target_compile_options(saatto_hardening INTERFACE
    -fno-common -fstack-protector-strong -fno-omit-frame-pointer
    # 3 needs an optimising build, and a sanitizer's own interceptors do the work better.
    $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>
    $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=3>
    $<$<CONFIG:Release>:-fstack-clash-protection>)
target_link_options(saatto_hardening INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(SAATTO_SANITIZE)
    target_compile_options(saatto_hardening INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all)
    target_link_options(saatto_hardening INTERFACE -fsanitize=address,undefined)
endif()

if(SAATTO_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "SAATTO_FUZZ needs clang: configure with --preset fuzz")
    endif()
    target_compile_options(saatto_hardening INTERFACE
        -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -O1)
    target_link_options(saatto_hardening INTERFACE -fsanitize=address,undefined)
endif()
