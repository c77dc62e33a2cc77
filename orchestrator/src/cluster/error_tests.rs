use super::*;
use kube::{Client, Config};

/// A cluster that is never called.
fn cluster() -> Cluster {
    let config = Config::new("http://127.0.0.1:9/".parse().unwrap());
    Cluster {
        client: Client::try_from(config).unwrap(),
        context: "lab".to_owned(),
        namespace: "bench".to_owned(),
        server: "https://10.0.0.1:6443".to_owned(),
    }
}

async fn said(code: u16, message: &str) -> String {
    let error = kube::Error::Api(Status::failure(message, "x").with_code(code).boxed());
    ClusterError::of(&cluster(), "create pod tx0", 6, error).to_string()
}

#[tokio::test]
async fn each_answer_has_its_sentence_and_its_next_step() {
    let rbac = "pods \"tx0\" is forbidden: User \"jane\" cannot patch resource \"pods\" in API group \"\" in the namespace \
                \"bench\"";
    let cases = [
        (401, "Unauthorized", ["does not know who asks", "context lab", "log in again"]),
        (
            403,
            "nodes is forbidden: User \"system:anonymous\" cannot list resource \"nodes\" in API group \"\" at the \
             cluster scope",
            ["does not know who asks", "context lab", "log in again"],
        ),
        (403, rbac, ["cannot patch resource \"pods\"", "context lab", "`orchestrator pods rbac -N bench`"]),
        (
            403,
            "exceeded quota: q, requested: cpu=2",
            ["does not admit it", "exceeded quota", "ResourceQuota"],
        ),
        (
            403,
            "pods \"tx0\" is forbidden: violates PodSecurity \"baseline:latest\": non-default capabilities",
            ["does not admit it", "violates PodSecurity", "enforce=privileged"],
        ),
        (
            403,
            "pods \"tx0\" is forbidden: error looking up service account bench/default: serviceaccount \"default\" not found",
            [
                "namespace bench has no service account `default`",
                "get serviceaccount",
                "controller manager runs",
            ],
        ),
        (
            403,
            "pods \"tx0\" is forbidden: error looking up service account bench/mine: serviceaccount \"mine\" not found",
            ["does not admit it", "bench/mine", "that the template names"],
        ),
        (
            409,
            "Apply failed with 1 conflict: x\n- .spec\n- .spec",
            ["somebody else", "conflict: x .spec; ", "delete it"],
        ),
        (422, "spec.x: Invalid value", ["finds fault", "spec.x", "create pod tx0"]),
        (503, "etcd is down", ["answered 503 6 times", "etcd is down", "https://10.0.0.1:6443"]),
        (429, "slow down", ["answered 429 6 times", "slow down", "try again"]),
    ];
    for (code, message, parts) in cases {
        let said = said(code, message).await;
        assert!(said.starts_with("can't create pod tx0: "), "{said}");
        for part in parts {
            assert!(said.contains(part), "{code}: {part}: {said}");
        }
    }
}

#[tokio::test]
async fn nobody_there_names_the_address_and_the_context() {
    let cluster = cluster();
    let api: kube::Api<k8s_openapi::api::core::v1::Pod> = cluster.api();
    let error = api.get("x").await.unwrap_err();
    let said = ClusterError::of(&cluster, "get pod x", 6, error).to_string();
    for part in ["https://10.0.0.1:6443 (context lab) can't be reached (6 times tried)", "onnection refused"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}
