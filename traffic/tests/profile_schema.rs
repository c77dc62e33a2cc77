#[test]
fn dump() {
    println!("{:#}", traffic::profile::schema::schema());
    let p = traffic::profile::load_file(std::path::Path::new("../tests/profiles/udp_sdpp_1500.yaml")).unwrap();
    println!("{}", traffic::profile::render::to_toml(&p).unwrap());
    println!("{}", serde_saphyr::to_string(&p).unwrap());
}
