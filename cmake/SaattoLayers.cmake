# The layering, held by the build: lib <- core <- proto <- broker, workers, cli (and tests above all).
#
# A target sees the include folders of what it links, so allowing only lower layers to be linked is
# what keeps a header of a higher layer out of reach. tests/lint/layering.py reads the #include
# lines themselves and catches what slips past (a relative path, a system library).

# saatto_layer_library(<target> [LINKS lower targets and public libraries...] [PRIVATE libraries...])
#
# The static library of the current folder: all its *.c but main programs, its folder as the public
# include folder.
function(saatto_layer_library target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINKS;PRIVATE")
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    list(FILTER sources EXCLUDE REGEX "/main[^/]*\\.c$")
    if(NOT sources)
        # Headers only: nothing to archive, but those above still find the headers and what they need.
        add_library(${target} INTERFACE)
        target_include_directories(${target} INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})
        target_link_libraries(${target} INTERFACE ${arg_LINKS})
        return()
    endif()
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${target} PUBLIC ${arg_LINKS} PRIVATE ${arg_PRIVATE})
endfunction()

# What each layer may link of ours. A program never links another program's library.
set(SAATTO_MAY_LINK_lib lib)
set(SAATTO_MAY_LINK_core lib core)
set(SAATTO_MAY_LINK_proto lib core proto)
set(SAATTO_MAY_LINK_broker lib core proto broker)
set(SAATTO_MAY_LINK_workers lib core proto workers)
set(SAATTO_MAY_LINK_cli lib core proto cli)
set(SAATTO_MAY_LINK_tests lib core proto broker workers cli tests)

# The pure layers may not reach for sockets or the database through the linker either.
set(SAATTO_MAY_NOT_LINK_lib PkgConfig::ZMQ PkgConfig::CZMQ PkgConfig::PQ PkgConfig::PROTOBUFC
    PkgConfig::MHD)
set(SAATTO_MAY_NOT_LINK_core ${SAATTO_MAY_NOT_LINK_lib})
set(SAATTO_MAY_NOT_LINK_proto PkgConfig::ZMQ PkgConfig::CZMQ PkgConfig::PQ PkgConfig::MHD)

function(saatto_layer_of target out)
    set(${out} "" PARENT_SCOPE)
    get_target_property(dir ${target} SOURCE_DIR)
    file(RELATIVE_PATH rel ${CMAKE_SOURCE_DIR} ${dir})
    string(REGEX MATCH "^[^/]+" layer "${rel}")
    if(NOT layer STREQUAL "..")
        set(${out} "${layer}" PARENT_SCOPE)
    endif()
endfunction()

# The adapter library is published: whoever sees workers/include alone sees no insides of a program.
function(saatto_is_published target out)
    set(${out} FALSE PARENT_SCOPE)
    get_target_property(dirs ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if("${dirs}" STREQUAL "${CMAKE_SOURCE_DIR}/workers/include")
        set(${out} TRUE PARENT_SCOPE)
    endif()
endfunction()

function(saatto_check_target target layer)
    get_target_property(links ${target} LINK_LIBRARIES)
    foreach(link IN LISTS links)
        string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" link "${link}")
        if(link IN_LIST SAATTO_MAY_NOT_LINK_${layer})
            message(SEND_ERROR "layering: ${layer}/ target '${target}' may not link ${link}")
        endif()
        if(TARGET ${link} AND NOT link MATCHES "::")
            saatto_layer_of(${link} other)
            saatto_is_published(${link} published)
            if(published AND layer STREQUAL "cli")
                continue()
            endif()
            if(other AND NOT other IN_LIST SAATTO_MAY_LINK_${layer})
                message(SEND_ERROR
                    "layering: ${layer}/ target '${target}' may not link '${link}' of ${other}/; "
                    "allowed: ${SAATTO_MAY_LINK_${layer}}")
            endif()
        endif()
    endforeach()
    get_target_property(dirs ${target} INCLUDE_DIRECTORIES)
    foreach(other IN ITEMS lib core proto broker workers cli)
        if(NOT other IN_LIST SAATTO_MAY_LINK_${layer} AND "${CMAKE_SOURCE_DIR}/${other}" IN_LIST dirs)
            message(SEND_ERROR "layering: ${layer}/ target '${target}' may not see ${other}/")
        endif()
    endforeach()
endfunction()

# Called once, after all folders were added.
function(saatto_check_layers)
    foreach(layer IN LISTS ARGN)
        if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${layer}/CMakeLists.txt)
            continue()
        endif()
        get_property(targets DIRECTORY ${CMAKE_SOURCE_DIR}/${layer} PROPERTY BUILDSYSTEM_TARGETS)
        foreach(target IN LISTS targets)
            get_target_property(type ${target} TYPE)
            if(type MATCHES "LIBRARY|EXECUTABLE")
                saatto_check_target(${target} ${layer})
            endif()
        endforeach()
    endforeach()
endfunction()
