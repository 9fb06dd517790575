"""The Go modules that the programs are made of: what gazelle makes of go.mod. Written by `make fmt`."""

# It names this list, by which gazelle knows which repository a package is in.
_CONFIG = Label("//:WORKSPACE")

def go_modules(go_repository):
    """Declares a repository for each Go module.

    Args:
      go_repository: the rule of that name of gazelle's deps.bzl.
    """
    go_repository(
        name = "com_github_burntsushi_toml",
        build_config = _CONFIG,
        importpath = "github.com/BurntSushi/toml",
        sum = "h1:W5quZX/G/csjUnuI8SUYlsHs9M38FC7znL0lIO+DvMg=",
        version = "v1.5.0",
    )
    go_repository(
        name = "com_github_docker_cli",
        build_config = _CONFIG,
        importpath = "github.com/docker/cli",
        sum = "h1:dlkwallR8XqfeVnA2ELEhdwvb4lsSwuB4IgsG8Q9cLY=",
        version = "v29.7.2+incompatible",
    )
    go_repository(
        name = "com_github_docker_docker_credential_helpers",
        build_config = _CONFIG,
        importpath = "github.com/docker/docker-credential-helpers",
        sum = "h1:76ItO69/AP/V4yT9V4uuuItG0B1N8hvt0T0c0NN/DzI=",
        version = "v0.9.4",
    )
    go_repository(
        name = "com_github_docker_go_units",
        build_config = _CONFIG,
        importpath = "github.com/docker/go-units",
        sum = "h1:69rxXcBk27SvSaaxTtLh/8llcHD8vYHT7WSdRZ/jvr4=",
        version = "v0.5.0",
    )
    go_repository(
        name = "com_github_gofrs_flock",
        build_config = _CONFIG,
        importpath = "github.com/gofrs/flock",
        sum = "h1:jjREztyBeSKBZYAC+mgc1laB+xsgy4kYMf3FbKF2UBo=",
        version = "v0.13.1",
    )
    go_repository(
        name = "com_github_google_go_containerregistry",
        build_config = _CONFIG,
        importpath = "github.com/google/go-containerregistry",
        sum = "h1:RZuuSYhTvlDvtsK+NkutoCZ//C0X2ebLK8X8l3ULs84=",
        version = "v0.22.1",
    )
    go_repository(
        name = "com_github_klauspost_compress",
        build_config = _CONFIG,
        importpath = "github.com/klauspost/compress",
        sum = "h1:zWNoFqq/lSuYQRim3dUXlXeA0IqwuZGicdG5ZTfY5j4=",
        version = "v1.20.3",
    )
    go_repository(
        name = "com_github_mattn_go_shellwords",
        build_config = _CONFIG,
        importpath = "github.com/mattn/go-shellwords",
        sum = "h1:RRxAaRzU1YbzOSCj9NJqg2/VIbSWv0dnPoD3EwE8kxI=",
        version = "v1.0.16",
    )
    go_repository(
        name = "com_github_mitchellh_colorstring",
        build_config = _CONFIG,
        importpath = "github.com/mitchellh/colorstring",
        sum = "h1:62I3jR2EmQ4l5rM/4FEfDWcRD+abF5XlKShorW5LRoQ=",
        version = "v0.0.0-20190213212951-d06e56a500db",
    )
    go_repository(
        name = "com_github_moby_sys_capability",
        build_config = _CONFIG,
        importpath = "github.com/moby/sys/capability",
        sum = "h1:4D4mI6KlNtWMCM1Z/K0i7RV1FkX+DBDHKVJpCndZoHk=",
        version = "v0.4.0",
    )
    go_repository(
        name = "com_github_moby_sys_mountinfo",
        build_config = _CONFIG,
        importpath = "github.com/moby/sys/mountinfo",
        sum = "h1:1shs6aH5s4o5H2zQLn796ADW1wMrIwHsyJ2v9KouLrg=",
        version = "v0.7.2",
    )
    go_repository(
        name = "com_github_moby_sys_user",
        build_config = _CONFIG,
        importpath = "github.com/moby/sys/user",
        sum = "h1:jhcMKit7SA80hivmFJcbB1vqmw//wU61Zdui2eQXuMs=",
        version = "v0.4.0",
    )
    go_repository(
        name = "com_github_opencontainers_go_digest",
        build_config = _CONFIG,
        importpath = "github.com/opencontainers/go-digest",
        sum = "h1:apOUWs51W5PlhuyGyz9FCeeBIOUDA/6nW8Oi/yOhh5U=",
        version = "v1.0.0",
    )
    go_repository(
        name = "com_github_opencontainers_image_spec",
        build_config = _CONFIG,
        importpath = "github.com/opencontainers/image-spec",
        sum = "h1:y0fUlFfIZhPF1W537XOLg0/fcx6zcHCJwooC2xJA040=",
        version = "v1.1.1",
    )
    go_repository(
        name = "com_github_opencontainers_runtime_spec",
        build_config = _CONFIG,
        importpath = "github.com/opencontainers/runtime-spec",
        sum = "h1:S4k4ryNgEpxW1dzyqffOmhI1BHYcjzU8lpJfSlR0xww=",
        version = "v1.2.1",
    )
    go_repository(
        name = "com_github_rivo_uniseg",
        build_config = _CONFIG,
        importpath = "github.com/rivo/uniseg",
        sum = "h1:WUdvkW8uEhrYfLC4ZzdpI2ztxP1I582+49Oc5Mq64VQ=",
        version = "v0.4.7",
    )
    go_repository(
        name = "com_github_schollz_progressbar_v3",
        build_config = _CONFIG,
        importpath = "github.com/schollz/progressbar/v3",
        sum = "h1:Ea18xuIRQXLAUidVDox3AbwfUhD0/1IvohyTutOIFoc=",
        version = "v3.19.0",
    )
    go_repository(
        name = "com_github_sirupsen_logrus",
        build_config = _CONFIG,
        importpath = "github.com/sirupsen/logrus",
        sum = "h1:TsZE7l11zFCLZnZ+teH4Umoq5BhEIfIzfRDZ1Uzql2w=",
        version = "v1.9.4",
    )
    go_repository(
        name = "com_github_therootcompany_xz",
        build_config = _CONFIG,
        importpath = "github.com/therootcompany/xz",
        sum = "h1:CmOtsn1CbtmyYiusbfmhmkpAAETj0wBIH6kCYaX+xzw=",
        version = "v1.0.1",
    )
    go_repository(
        name = "com_github_ulikunitz_xz",
        build_config = _CONFIG,
        importpath = "github.com/ulikunitz/xz",
        sum = "h1:flR0y/x1hgM8EGV1AW3Xll6T413G0glV8UfBwR617V4=",
        version = "v0.5.17",
    )
    go_repository(
        name = "in_yaml_go_yaml_v3",
        build_config = _CONFIG,
        importpath = "go.yaml.in/yaml/v3",
        sum = "h1:zcDfvjXEqTQmpjniUBLc91xYJMB2c4QOFxEF/LCEckM=",
        version = "v3.0.6",
    )
    go_repository(
        name = "io_podman_go_image_v5",
        build_config = _CONFIG,
        importpath = "go.podman.io/image/v5",
        sum = "h1:VZ8Vah+p41u10Bm2ydQ6puciAieBZhk90RReM7Ffins=",
        version = "v5.39.3",
    )
    go_repository(
        name = "io_podman_go_storage",
        build_config = _CONFIG,
        importpath = "go.podman.io/storage",
        sum = "h1:uG8H5fVAb7A3AdxNCDuEsOmsPO6yHnJk2GOQFeWqN9c=",
        version = "v1.62.1",
    )
    go_repository(
        name = "org_golang_x_sync",
        build_config = _CONFIG,
        importpath = "golang.org/x/sync",
        sum = "h1:SZjpbeLmrCk4xhRSZFNZW5gFUeCeFgjekvI/+gfScek=",
        version = "v0.22.0",
    )
    go_repository(
        name = "org_golang_x_sys",
        build_config = _CONFIG,
        importpath = "golang.org/x/sys",
        sum = "h1:o7XGOvZQCADBQQ4Y7VNq2dRWQR7JmOUW8Kxx4ZsNgWs=",
        version = "v0.47.0",
    )
    go_repository(
        name = "org_golang_x_term",
        build_config = _CONFIG,
        importpath = "golang.org/x/term",
        sum = "h1:zMPR+aF8gfksFprF/Nc/rd1wRS1EI6nDBGyWAvDzx2Q=",
        version = "v0.36.0",
    )
