/// What a method asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Nothing: health is asked by machines that know no secrets.
    None,
    /// To read the record.
    Read,
    /// To write observations.
    Write,
    /// To change the catalog.
    Curate,
    /// To run the service.
    Administer,
}

impl Right {
    /// What the method with this path asks. A path of no method is answered when the caller may read.
    #[must_use]
    pub fn of(path: &str) -> Self {
        match path.trim_start_matches('/').split_once('/') {
            Some(("grpc.health.v1.Health", _)) => Self::None,
            Some(("indicator.v1.ObservationService", "WriteObservations" | "ImportObservations")) => Self::Write,
            Some(("indicator.v1.CatalogService", "ApplyCatalog")) => Self::Curate,
            Some(("indicator.v1.AdminService", "GetStatus")) => Self::Read,
            Some(("indicator.v1.AdminService", _)) => Self::Administer,
            _ => Self::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A method that changes something must be in the table above: this list makes whoever adds a method think of it.
    #[test]
    fn each_method_of_the_schema_asks_for_a_right() {
        let pool = prost_reflect::DescriptorPool::decode(indicator_proto::FILE_DESCRIPTOR_SET).unwrap();
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let mut asked: Vec<String> = methods
            .map(|method| {
                let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
                format!("{:?} {}", Right::of(&path), method.name())
            })
            .filter(|line| !line.starts_with("Read Get") && !line.starts_with("Read List"))
            .collect();
        asked.sort();
        insta::assert_snapshot!(asked.join("\n"));
    }
}
